// wire only: the example runs in a process of its own
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase } from '../../lib/index.ts'
import { applyMigrations } from '../../lib/migrate/apply.ts'
import { createPost } from '../../sql/posts.sql.ts'
import { createUser } from '../../sql/users.sql.ts'
import { runExample } from '../support/runExample.ts'
import { freshDatabase, testServer } from '../support/server.ts'

test('a script against DATABASE_URL', async () => {
  const { url, drop } = await freshDatabase()
  try {
    await applyMigrations({ url, folder: 'migrations' })
    await using db = createDatabase({ url })
    const email = 'ada@example.com'
    const { id } = await createUser(db, { email, hashedPassword: '…', fullName: 'Ada Lovelace' })
    await createPost(db, { authorId: id, title: 'Loops', content: '…' })

    const run = (args: string[]) => runExample('examples/script.ts', { DATABASE_URL: url }, args)
    const year = new Date().getFullYear()
    assert.equal(await run([email]), { output: `Ada Lovelace, since ${year}\n- Loops\n`, code: 0 })
    assert.equal(await run(['nobody@example.com']), { output: 'There is no user nobody@example.com.\n', code: 0 })
    const { output, code } = await run([])
    assert.is(code, 1)
    assert.match(output, 'usage: script.ts <e-mail address>')
  } finally {
    await drop()
  }
})

test.after(async () => (await testServer()).stop())

test.run()
