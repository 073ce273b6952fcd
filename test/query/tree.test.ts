// A table that refers to itself: its rows with those below them and above them, on PostgreSQL and in memory.

import { resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createCategory, getParent, listSubcategories, listTopCategories } from '../../examples/tree/categories.sql.ts'
import type { Database } from '../../lib/database/database.ts'
import { include, relation } from '../../lib/query/include.ts'
import { memoryDatabase, recording, testDatabase } from '../../lib/testing/index.ts'
import { runExample } from '../support/runExample.ts'
import { testServer } from '../support/server.ts'

interface Category {
  readonly id: number
  readonly parentId: number | null
}

const below = ({ id }: Category) => ({ parentId: id })
const above = ({ parentId }: Category) => ({ parentId })

/** animals > cats, dogs; cats > lions, tigers; plants, with nothing below. */
async function fill(db: Database): Promise<void> {
  const add = (parentId: number | null, ...names: string[]): Promise<{ id: number }[]> =>
    createCategory.batch(
      db,
      names.map((name) => ({ parentId, name })),
    )
  const [animals] = await add(null, 'animals', 'plants')
  const [cats] = await add(animals!.id, 'cats', 'dogs')
  await add(cats!.id, 'lions', 'tigers')
}

for (const [place, open] of [
  ['PostgreSQL', testDatabase],
  ['memory', memoryDatabase],
] as const) {
  test(`two levels down, each in a round trip, in ${place}`, async () => {
    const database = await open({ schema: 'examples/tree/schema.sql' })
    await fill(database)
    const db = recording(database)
    const found = await include(db, await listTopCategories(db), {
      children: relation(listSubcategories, below, { children: relation(listSubcategories, below) }),
    })
    assert.equal(
      found.map(({ name, children }) => [
        name,
        children.map((child) => [child.name, child.children.map((c) => c.name)]),
      ]),
      [
        [
          'animals',
          [
            ['cats', ['lions', 'tigers']],
            ['dogs', []],
          ],
        ],
        ['plants', []],
      ],
    )
    assert.is(db.roundTrips, 3)
    await database.close()
  })

  test(`up to the top, where there is nothing above; what is shared is asked once, in ${place}`, async () => {
    const database = await open({ schema: 'examples/tree/schema.sql' })
    await fill(database)
    const db = recording(database)
    const tops = await listTopCategories(db)
    const leaves = await listSubcategories(db, { parentId: 3 })
    db.clear()
    const found = await include(db, [...leaves, ...tops], {
      parent: relation(getParent, above, { parent: relation(getParent, above) }),
    })
    const names = found.map(({ name, parent }) => [name, parent?.name, parent?.parent?.name])
    assert.equal(names, [
      ['lions', 'cats', 'animals'],
      ['tigers', 'cats', 'animals'],
      ['animals', undefined, undefined],
      ['plants', undefined, undefined],
    ])
    assert.is(found[2]?.parent, null)
    assert.is(found[0]?.parent, found[1]?.parent)
    assert.equal(db.statements, [
      ['getParent', [{ parentId: 3 }, { parentId: null }]],
      ['getParent', { parentId: 1 }],
    ])
    await database.close()
  })
}

test('the functions of the example are up to date', async () => {
  const { url } = await testServer()
  const check = [resolve('lib/cli/main.ts'), { DATABASE_URL: url }, ['check'], 'examples/tree'] as const
  const { output, code } = await runExample(...check)
  assert.is(code, 0, output)
})

test.run()
