// `npm run relationships`: what batch forms cost and save, beside hand-written SQL over `pg` on the same server, in
// interleaved rounds; every number is the median of the rounds. Writes relationships.svg: time per parent.

import { writeFileSync } from 'node:fs'
import DataLoader from 'dataloader'
import pg from 'pg'
import { batching, include, type Many, relation } from '../lib/index.ts'
import { testDatabase } from '../lib/testing/index.ts'
import { createPost, listPostsByAuthor } from '../sql/posts.sql.ts'
import { ensureTag } from '../sql/tags.sql.ts'
import { createUser, getUser, listUsers, updateUser } from '../sql/users.sql.ts'
import { generated } from '../test/support/generated.ts'

const rounds = Number(process.env.ROUNDS ?? 9)
const scales = [10, 100, 1_000, 10_000, 100_000]
const db = await testDatabase()
const pool = new pg.Pool({ connectionString: db.url, max: 10 })

const userSql = 'select id, email, full_name, is_active, created_at, updated_at from users'
const postSql = 'select id, author_id, title, content, created_at from posts'
const jsonSql = `select u.id, u.email, u.full_name, coalesce((select jsonb_agg(to_jsonb(p) order by p.id desc) from posts p
  where p.author_id = u.id), '[]') as posts from users u where u.id > $1 order by u.id limit $2`

/** 100 users with 10 posts each; 100,000 with 3. */
async function fill(): Promise<void> {
  await pool.query(`insert into users (email, hashed_password)
    select 'user' || n || '@x.org', 'h' from generate_series(1, 100100) n`)
  await pool.query(`insert into posts (author_id, title, content) select n, 'title', repeat('c', 80)
    from generate_series(1, 100100) n, generate_series(1, case when n <= 100 then 10 else 3 end)`)
  await pool.query('analyze')
}

/** The median time of each, in ms; in every round all of them run, one after another. */
async function measure(
  ways: Readonly<Record<string, () => Promise<unknown>>>,
  count = rounds,
): Promise<Record<string, number>> {
  const taken = new Map<string, number[]>()
  for (let round = -Math.ceil(count / 3); round < count; round++) {
    for (const [name, run] of Object.entries(ways)) {
      const start = performance.now()
      await run()
      if (round >= 0) taken.set(name, [...(taken.get(name) ?? []), performance.now() - start])
    }
  }
  return Object.fromEntries([...taken].map(([name, all]) => [name, all.sort((a, b) => a - b)[all.length >> 1] ?? 0]))
}

function print(title: string, medians: Readonly<Record<string, number>>): void {
  console.log(`\n${title}`)
  for (const [name, ms] of Object.entries(medians)) console.log(`  ${name.padEnd(44)}${ms.toFixed(2).padStart(10)} ms`)
}

const eight = (run: () => Promise<unknown>) => () => Promise.all(Array.from({ length: 8 }, run))

async function twoQueries(): Promise<unknown> {
  const users = (
    await pool.query({ name: 'users', text: `${userSql} where id > $1 order by id limit $2`, values: [0, 100] })
  ).rows
  const ids = users.map((user) => user.id)
  const posts = (
    await pool.query({ name: 'posts', text: `${postSql} where author_id = any($1) order by id desc`, values: [ids] })
  ).rows
  const byAuthor = new Map<number, unknown[]>(ids.map((id) => [id, []]))
  for (const post of posts) byAuthor.get(post.author_id)?.push(post)
  return users.map((user) => ({ ...user, posts: byAuthor.get(user.id) }))
}

async function usersWithPosts(): Promise<unknown> {
  return include(db, await listUsers(db, { afterId: 0, limit: 100 }), {
    posts: relation(listPostsByAuthor, (user) => ({ authorId: user.id })),
  })
}

await fill()
const named = jsonSql.replace('$1', ':afterId').replace('$2', ':limit')
const { inJson } = (
  await generated<{ inJson: Many<{ afterId: number; limit: number }, object> }>(
    db.url,
    `-- name: inJson :many\n${named};`,
  )
).functions
print(
  '100 users with 10 posts each, 8 callers',
  await measure(
    {
      'plainsql, include': eight(usersWithPosts),
      'plainsql, one query with jsonb_agg': eight(() => inJson(db, { afterId: 0, limit: 100 })),
      'pg, two named queries, grouped by hand': eight(twoQueries),
      'pg, one named query with jsonb_agg': eight(() => pool.query({ name: 'json', text: jsonSql, values: [0, 100] })),
    },
    5 * rounds,
  ),
)

const usersById = (ids: readonly number[]): Promise<pg.QueryResult> =>
  pool.query({ name: 'any', text: `${userSql} where id = any($1)`, values: [ids] })
const ids = Array.from({ length: 100 }, (_, at) => at * 7 + 1)
const hand = 'pg, one named query with = any($1)'
const inOneTick = await measure(
  {
    'plainsql, batching': () => {
      const scope = batching(db)
      return Promise.all(ids.map((id) => getUser(scope, { id })))
    },
    'plainsql, getUser.batch': () =>
      getUser.batch(
        db,
        ids.map((id) => ({ id })),
      ),
    'plainsql, 100 calls (pipelined)': () => Promise.all(ids.map((id) => getUser(db, { id }))),
    [hand]: () => usersById(ids),
    'DataLoader over pg, the same query': () => {
      const loader = new DataLoader(async (keys: readonly number[]) => {
        const byId = new Map((await usersById(keys)).rows.map((user) => [user.id, user]))
        return keys.map((id) => byId.get(id) ?? null)
      })
      return Promise.all(ids.map((id) => loader.load(id)))
    },
  },
  60 * rounds,
)
print('100 users by id, asked for in one tick', inOneTick)
const times = (inOneTick['plainsql, batching'] ?? 0) / (inOneTick[hand] ?? 0)
console.log(`  batching takes ${times.toFixed(2)} times as long as the hand-written query`)

const many = Array.from({ length: 10_000 }, (_, at) => at + 1)
let turn = 0
print(
  '10,000 rows',
  await measure({
    'plainsql, createUser.batch': () => {
      turn++
      return createUser.batch(
        db,
        many.map((at) => ({ email: `${turn}.${at}`, hashedPassword: 'h', fullName: null })),
      )
    },
    'pg, INSERT … SELECT unnest, returning': () =>
      pool.query({
        name: 'insert',
        text: `insert into users (email, hashed_password, full_name) select * from unnest($1::text[], $2::text[], $3::text[])
          returning id, email, full_name, is_active, created_at, updated_at`,
        values: [many.map((at) => `pg${turn}.${at}`), many.map(() => 'h'), many.map(() => null)],
      }),
    'plainsql, updateUser.batch': () =>
      updateUser.batch(
        db,
        many.map((id) => ({ id, email: `user${id}@x.org`, fullName: 'n', isActive: true })),
      ),
    'pg, UPDATE … FROM unnest, returning': () =>
      pool.query({
        name: 'update',
        text: `update users set email = i.a, full_name = i.b, is_active = i.c, updated_at = now()
          from unnest($1::int4[], $2::text[], $3::text[], $4::bool[]) as i(id, a, b, c) where users.id = i.id
          returning users.id, email, full_name, is_active, created_at, updated_at`,
        values: [many, many.map((id) => `user${id}@x.org`), many.map(() => 'n'), many.map(() => true)],
      }),
    'plainsql, ensureTag.batch (upsert)': () =>
      ensureTag.batch(
        db,
        many.map((at) => ({ name: `tag ${at}` })),
      ),
  }),
)

const postsOf = { posts: relation(listPostsByAuthor, (user: { id: number }) => ({ authorId: user.id })) }
const postsSql = `${postSql} where author_id = any($1) order by id desc`
const byHand = async (parents: readonly { id: number }[]): Promise<unknown> => {
  const ids = parents.map(({ id }) => id)
  const byAuthor = new Map<number, unknown[]>(ids.map((id) => [id, []]))
  const { rows } = await pool.query({ name: 'posts', text: postsSql, values: [ids] })
  for (const post of rows) byAuthor.get(post.author_id)?.push(post)
  return byAuthor
}
/** What the server itself takes for the statement, in ms, sending no rows. */
const onServer = async (parents: readonly { id: number }[]): Promise<number> => {
  const explain = {
    text: `explain (analyze, timing off, format json) ${postsSql}`,
    values: [parents.map(({ id }) => id)],
  }
  return (await pool.query(explain)).rows[0]['QUERY PLAN'][0]['Execution Time']
}

const lines = { plainsql: [] as number[], 'by hand over pg': [] as number[] }
console.log('\nposts of many users, µs per parent')
console.log('parents        include     pg, by hand     the server alone')
for (const scale of scales) {
  const parents = await listUsers(db, { afterId: 100, limit: scale })
  const { own = 0, hand = 0 } = await measure(
    { own: () => include(db, parents, postsOf), hand: () => byHand(parents) },
    scale > 1_000 ? 9 : 10 * rounds,
  )
  const alone = (await Promise.all([1, 2, 3].map(() => onServer(parents)))).sort((a, b) => a - b)[1] ?? 0
  const [ours, theirs, servers] = [own, hand, alone].map((ms) => (ms * 1000) / scale) as [number, number, number]
  lines.plainsql.push(ours)
  lines['by hand over pg'].push(theirs)
  console.log(
    `${String(scale).padStart(7)}${ours.toFixed(1).padStart(15)}${theirs.toFixed(1).padStart(16)}${servers.toFixed(1).padStart(21)}`,
  )
}

console.log('\n100,000 inputs in statements of so many, µs per input; reads four at a time, writes in one transaction')
const parents = await listUsers(db, { afterId: 100, limit: 100_000 })
const sized = (size: number): { authorId: number }[][] =>
  Array.from({ length: Math.ceil(parents.length / size) }, (_, at) =>
    parents.slice(at * size, (at + 1) * size).map(({ id }) => ({ authorId: id })),
  )
const read = (size: number) => async () => {
  const open = sized(size)
  const found: unknown[] = []
  const work = async (): Promise<void> => {
    for (let chunk = open.shift(); chunk; chunk = open.shift())
      found.push(...(await listPostsByAuthor.batch(db, chunk)))
  }
  await Promise.all([work(), work(), work(), work()])
  return found
}
const write = (size: number) => () =>
  db.unitOfWork(async (uow) => {
    for (const chunk of sized(size)) {
      const posts = chunk.map(({ authorId }) => ({ authorId, title: 'title', content: '' }))
      await createPost.batch(uow, posts)
    }
  })
// Up to what the library itself sends in one; writes last, as they make the table larger.
for (const [done, sizes, way] of [
  ['read', [250, 500, 1_000, 2_000], read],
  ['inserted', [500, 1_000, 2_000, 5_000, 10_000], write],
] as const) {
  const taken = await measure(Object.fromEntries(sizes.map((size) => [size, way(size)])))
  for (const [size, ms] of Object.entries(taken)) {
    console.log(`${size.padStart(7)}${((ms * 1000) / parents.length).toFixed(1).padStart(10)} ${done}`)
  }
}

writeFileSync(new URL('relationships.svg', import.meta.url), plot(lines))
await pool.end()
await db.close()

/** A line each over the scales; both axes are logarithmic. */
function plot(lines: Readonly<Record<string, readonly number[]>>): string {
  const x = (at: number): number => 70 + at * 100
  const y = (value: number): number => 280 - Math.log10(value) * 110
  const drawn = Object.entries(lines).map(([name, values], line) => {
    const color = ['#2a6f97', '#9a5b13'][line]
    const points = values.map((value, at) => `${x(at)},${y(value).toFixed(1)}`).join(' ')
    const numbers = values.map(
      (value, at) =>
        `<text x="${x(at)}" y="${(y(value) - 8).toFixed(1)}" text-anchor="middle" fill="${color}">${value.toFixed(1)}</text>`,
    )
    return `<polyline points="${points}" fill="none" stroke="${color}" stroke-width="2"/>
${numbers.join('\n')}
<text x="${300 + line * 100}" y="24" fill="${color}">${name}</text>`
  })
  const labels = scales.map(
    (scale, at) => `<text x="${x(at)}" y="300" text-anchor="middle">${scale.toLocaleString('en')}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="540" height="320" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
<text x="20" y="24">posts of many users: µs per user</text>
${[...drawn, ...labels].join('\n')}
</svg>
`
}
