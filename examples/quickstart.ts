// The whole way, once: a PostgreSQL, the schema from migrations/, typed functions from sql/, and rows out of it.
// Run it with `npm run quickstart`. It needs no server; with DATABASE_URL set it works in a database of its own there.

import { createDatabase, include, relation, UniqueViolationError } from 'plainsql'
import { compile, formatDiagnostics, loadConfig, planOutput, writeOutput } from 'plainsql/compile'
import { recording } from 'plainsql/testing'
import { applyMigrations } from '../lib/migrate/apply.ts'
import { openPlayground } from './support/playground.ts'
import { say, step } from './support/story.ts'

const started = performance.now()
const folder = process.cwd()
console.log('plainsql quickstart: plain .sql files become typed functions\n')

await using playground = await step('A PostgreSQL to play with', async () => {
  const opened = await openPlayground('plainsql_quickstart')
  say(opened.description)
  return opened
})

await step('The schema: migrations/*.sql, run by node-pg-migrate', async () => {
  for (const name of await applyMigrations({ url: playground.url, folder: 'migrations' })) say(`migrations/${name}.sql`)
})

await step('Typed functions: sql/x.sql.ts beside every sql/x.sql', async () => {
  // What `npx plainsql generate` does, on the database that we just made.
  const config = { ...(await loadConfig(folder)), sql: ['sql'], databaseUrl: playground.url }
  const compiled = await compile(folder, config)
  if (compiled.files.length === 0)
    throw new Error(formatDiagnostics(compiled.diagnostics, { format: 'text', color: false }))
  const plan = await planOutput(folder, compiled.files)
  await writeOutput(folder, plan)
  for (const { path } of plan.stale) say(`wrote ${path}`)
  const files = compiled.files.filter(({ path }) => path.endsWith('.sql.ts'))
  say(`${compiled.queries} queries in ${files.length} files, each checked by this PostgreSQL`)
})

// Only now, because the step before may have written them. A program of your own imports them at its top.
const { countPostsByAuthor, createPost, listPostsByAuthor } = await import('../sql/posts.sql.ts')
const { createUser, listUsers } = await import('../sql/users.sql.ts')

await using db = createDatabase({ url: playground.url })

await step('Writing users and posts', async () => {
  const ada = await createUser(db, {
    email: 'ada@example.com',
    hashedPassword: '$argon2id$…',
    fullName: 'Ada Lovelace',
  })
  const grace = await createUser(db, {
    email: 'grace@example.com',
    hashedPassword: '$argon2id$…',
    fullName: 'Grace Hopper',
  })
  await createUser(db, { email: 'alan@example.com', hashedPassword: '$argon2id$…', fullName: null })
  for (const title of ['Notes on the Analytical Engine', 'Loops']) {
    await createPost(db, { authorId: ada.id, title, content: '…' })
  }
  await createPost(db, { authorId: grace.id, title: 'The first bug', content: 'A moth.' })
  say(`createUser (${createUser.query.source}) three times, createPost (${createPost.query.source}) three times`)
})

await step('A page of users with their posts', async () => {
  const recorded = recording(db)
  const users = await include(recorded, await listUsers(recorded, { afterId: 0, limit: 20 }), {
    posts: relation(listPostsByAuthor, (user) => ({ authorId: user.id })),
  })
  for (const user of users) {
    // user: { id: number; email: string; fullName: string | null; …; posts: { id: number; title: string; … }[] }
    const titles = user.posts.map((post) => post.title)
    say(`${(user.fullName ?? user.email).padEnd(18)}${titles.join(', ') || '(no posts)'}`)
  }
  say(`${recorded.roundTrips} round trips: ${recorded.statements.map(([name]) => name).join(', ')}`)
})

await step('A unit of work that fails halfway', async () => {
  const [ada] = await listUsers(db, { afterId: 0, limit: 1 })
  if (!ada) throw new Error('there is no user')
  const before = await countPostsByAuthor(db, { authorId: ada.id })
  try {
    await db.unitOfWork(async (uow) => {
      await createPost(uow, { authorId: ada.id, title: 'Never to be seen', content: '…' })
      say(`inside: Ada has ${await countPostsByAuthor(uow, { authorId: ada.id })} posts`)
      await createUser(uow, { email: ada.email, hashedPassword: '$argon2id$…', fullName: 'An impostor' })
    })
  } catch (error) {
    if (!(error instanceof UniqueViolationError)) throw error
    say(`${error.name}: ${error.message}`)
  }
  const after = await countPostsByAuthor(db, { authorId: ada.id })
  say(`rolled back: Ada has ${after} posts, as before`)
  if (after !== before) throw new Error('the unit of work left a post behind')
})

console.log(`Done in ${((performance.now() - started) / 1000).toFixed(1)} s.`)
console.log('Look at sql/users.sql and at sql/users.sql.ts, change a query, run `npm run quickstart` again.')
