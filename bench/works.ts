// What is measured: each work is one operation that every system does its own way, with so many callers at a time.
// The rows are checked once per system before anything is measured: a fast wrong answer is no answer.

export interface UserRow {
  id: number
  email: string
  fullName: string | null
  isActive: boolean
  createdAt: Date
}

export interface NewItem {
  n: number
  label: string
  price: number
}

/** What a system must be able to do. Every call is one operation of a work. */
export interface System {
  pointLookup(id: number): Promise<UserRow | null>
  /** 1000 rows: 2 integers, 2 texts, a timestamptz. */
  rows1000(): Promise<readonly object[]>
  /** 100 rows of 20 columns. */
  rows100(): Promise<readonly object[]>
  /** 100 users, each with 10 posts. */
  usersWithPosts(): Promise<readonly { posts: readonly object[] }[]>
  /** BEGIN, an insert that answers its id, an insert that refers to it, COMMIT. */
  insertInTransaction(n: number): Promise<number>
  bulkInsert(items: readonly NewItem[]): Promise<number>
  bulkUpdate(items: readonly NewItem[]): Promise<number>
  /** A report that keeps the server waiting for one second. */
  report(): Promise<unknown>
  close(): Promise<void>
}

export interface Work {
  readonly name: string
  readonly title: string
  readonly callers: number
  /** One operation. @param n counts up */
  run(system: System, n: number): Promise<unknown>
  /** A caller beside, who is not counted. */
  beside?(system: System): Promise<unknown>
  /** Throws if the answers are wrong. */
  check(system: System): Promise<void>
}

export const userCount = 10_000

export function items(seed: number): NewItem[] {
  return Array.from({ length: 10_000 }, (_, n) => ({ n, label: `item ${n} of "${seed}"`, price: n / 100 }))
}

const someItems = items(1)
const randomId = (): number => 1 + Math.floor(Math.random() * userCount)

async function checkLookup(system: System): Promise<void> {
  const user = await system.pointLookup(7)
  expect(user?.id === 7 && user.email === 'user7@example.com' && user.createdAt instanceof Date && user.isActive, user)
  expect((await system.pointLookup(-1)) === null, 'a user that is not there')
}

async function checkBulk(system: System): Promise<void> {
  expect((await system.bulkInsert(someItems)) === 10_000, 'bulk insert')
  expect((await system.bulkUpdate(someItems)) === 10_000, 'bulk update')
}

export const works: readonly Work[] = [
  {
    name: 'point-lookup-1',
    title: 'point lookup, 1 caller',
    callers: 1,
    run: (system) => system.pointLookup(randomId()),
    check: checkLookup,
  },
  {
    name: 'point-lookup-64',
    title: 'point lookup, 64 callers',
    callers: 64,
    run: (system) => system.pointLookup(randomId()),
    check: checkLookup,
  },
  {
    name: 'rows-1000x5',
    title: '1000 rows × 5 columns, 4 callers',
    callers: 4,
    run: (system) => system.rows1000(),
    check: async (system) => {
      const rows = await system.rows1000()
      expect(rows.length === 1000 && Object.keys(rows[0] ?? {}).length === 5, rows[0])
      expect(
        Object.values(rows[0] ?? {}).some((value) => value instanceof Date),
        rows[0],
      )
    },
  },
  {
    name: 'rows-100x20',
    title: '100 rows × 20 columns of all common types, 4 callers',
    callers: 4,
    run: (system) => system.rows100(),
    check: async (system) => {
      const rows = await system.rows100()
      expect(rows.length === 100 && Object.keys(rows[0] ?? {}).length === 20, rows[0])
    },
  },
  {
    name: 'users-with-posts',
    title: '100 users with 10 posts each, 8 callers',
    callers: 8,
    run: (system) => system.usersWithPosts(),
    check: async (system) => {
      const users = await system.usersWithPosts()
      expect(users.length === 100 && users.every((user) => user.posts.length === 10), users[0])
    },
  },
  {
    name: 'insert-in-transaction',
    title: 'two inserts in a transaction, 16 callers',
    callers: 16,
    run: (system, n) => system.insertInTransaction(n),
    check: async (system) => expect((await system.insertInTransaction(1)) > 0, 'an id'),
  },
  {
    name: 'bulk-insert-10k',
    title: 'insert of 10,000 rows',
    callers: 1,
    run: (system) => system.bulkInsert(someItems),
    check: checkBulk,
  },
  {
    name: 'bulk-update-10k',
    title: 'update of 10,000 rows',
    callers: 1,
    run: (system) => system.bulkUpdate(someItems),
    check: checkBulk,
  },
  {
    name: 'point-lookup-beside-reports',
    title: 'point lookup, 8 callers, beside a caller of 1 s reports',
    callers: 8,
    run: (system) => system.pointLookup(randomId()),
    beside: (system) => system.report(),
    check: checkLookup,
  },
]

function expect(holds: unknown, what: unknown): void {
  if (!holds) throw new Error(`wrong answer: ${JSON.stringify(what)}`)
}
