// Transactions and savepoints, command by command, on connections of both kinds: tags, errors and what is left.

import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../lib/database/connection.ts'
import { plainConnection } from '../../lib/database/plainConnection.ts'
import { MemoryConnection } from '../../lib/testing/connection.ts'
import { createEngine } from '../../lib/testing/engine.ts'
import { testDatabase } from '../../lib/testing/index.ts'
import { defineIn } from '../../lib/testing/migrations.ts'
import { MemorySchema } from '../../lib/testing/schema.ts'
import { Store } from '../../lib/testing/store.ts'
import { settled } from './blog.ts'
import { rowsOf } from './query.ts'

const schema = 'create table t (id int primary key); insert into t values (1);'

/** Statements in order; `add 2` inserts, `ids` lists, everything else is a control statement. */
const stories: Readonly<Record<string, readonly string[]>> = {
  'commit keeps': ['BEGIN', 'add 2', 'ids', 'COMMIT', 'ids'],
  'rollback undoes': ['BEGIN', 'add 2', 'ids', 'ROLLBACK', 'ids'],
  'after an error everything is refused, and COMMIT rolls back': ['BEGIN', 'add 2', 'add 1', 'ids', 'COMMIT', 'ids'],
  'a savepoint is released': ['BEGIN', 'SAVEPOINT a', 'add 2', 'RELEASE SAVEPOINT a', 'COMMIT', 'ids'],
  'a savepoint is rolled back to, and again': [
    ...['BEGIN', 'add 2', 'SAVEPOINT a', 'add 3', 'ROLLBACK TO SAVEPOINT a', 'ids', 'add 4', 'ROLLBACK TO a', 'ids'],
    ...['COMMIT', 'ids'],
  ],
  'nested savepoints': [
    ...['BEGIN', 'SAVEPOINT a', 'add 2', 'SAVEPOINT b', 'add 3', 'ROLLBACK TO SAVEPOINT b', 'ids'],
    ...['RELEASE SAVEPOINT a', 'ids', 'COMMIT', 'ids'],
  ],
  'the outer savepoint takes the inner one with it': [
    ...['BEGIN', 'SAVEPOINT a', 'add 2', 'SAVEPOINT b', 'add 3', 'ROLLBACK TO SAVEPOINT a', 'ids'],
    ...['ROLLBACK TO SAVEPOINT b', 'ids', 'ROLLBACK', 'ids'],
  ],
  'savepoints of one name shadow each other': [
    ...['BEGIN', 'SAVEPOINT a', 'add 2', 'SAVEPOINT a', 'add 3', 'ROLLBACK TO SAVEPOINT a', 'ids'],
    ...['RELEASE SAVEPOINT a', 'ROLLBACK TO SAVEPOINT a', 'ids', 'COMMIT'],
  ],
  'an error inside a savepoint is undone with it': [
    ...['BEGIN', 'add 2', 'SAVEPOINT a', 'add 1', 'SAVEPOINT b', 'ROLLBACK TO SAVEPOINT a', 'add 3', 'COMMIT', 'ids'],
  ],
  'a savepoint outside of a transaction': ['SAVEPOINT a', 'ids'],
  'a read-only transaction': ['BEGIN READ ONLY', 'ids', 'add 2', 'ROLLBACK', 'ids'],
  'isolation levels': [
    ...['BEGIN ISOLATION LEVEL SERIALIZABLE', 'add 2', 'COMMIT', 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY'],
    ...['ids', 'COMMIT'],
  ],
  'settings of a transaction': [
    'BEGIN',
    'SET LOCAL statement_timeout = 5000',
    `SET LOCAL "app"."tenant_id" = '42'`,
    'SET TRANSACTION READ ONLY',
    'add 2',
    'COMMIT',
  ],
}

for (const [title, story] of Object.entries(stories)) {
  test(title, async () => {
    await using database = await testDatabase({ schema })
    const client = new Client(database.url)
    await client.connect()
    try {
      assert.equal(await told(await memoryConnection(), story), await told(plainConnection(client), story))
    } finally {
      await client.end()
    }
  })
}

async function memoryConnection(): Promise<MemoryConnection> {
  const memory = { engine: await createEngine(), schema: new MemorySchema() }
  defineIn(memory, { name: 'schema', path: 'schema', text: schema, start: 0, end: schema.length })
  return new MemoryConnection({ ...memory, store: new Store(memory.engine.state(), 1000) })
}

async function told(connection: Connection, story: readonly string[]): Promise<unknown[]> {
  const answers: unknown[] = []
  for (const line of story) {
    const [word, id] = line.split(' ')
    if (word === 'ids') answers.push(await settled(rowsOf('select id from t order by id', 'int4')(connection, {})))
    else if (word === 'add') {
      answers.push(
        await settled(rowsOf('insert into t values ($1) returning id', 'int4', [['int4', Number(id)]])(connection, {})),
      )
    } else answers.push(await settled(connection.control(line)))
  }
  return answers
}

test.run()
