// What is measured: each work is one operation that every system does its own way, with so many callers at a time.
// The answers are checked once per system before anything is measured: a fast wrong answer is no answer.

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
  usersWithPosts(): Promise<readonly UserWithPosts[]>
  /** The same in one statement, whose posts are JSON; absent where the system has no such way. */
  usersWithPostsJson?(): Promise<readonly UserWithPosts[]>
  /** BEGIN, an insert that answers its id, COMMIT. */
  insertInTransaction(n: number): Promise<number>
  /** BEGIN, an insert that answers its id, an insert that refers to it, COMMIT. */
  twoInsertsInTransaction(n: number): Promise<number>
  /** Each of these answers how many rows it wrote. */
  bulkInsert(items: readonly NewItem[]): Promise<number>
  bulkUpdate(items: readonly NewItem[]): Promise<number>
  bulkUpsert(items: readonly NewItem[]): Promise<number>
  /** A report that keeps the server waiting for one second. */
  report(): Promise<unknown>
  close(): Promise<void>
}

export interface UserWithPosts {
  id: number
  posts: readonly { id: number }[]
}

export interface Work {
  readonly name: string
  readonly title: string
  readonly callers: number
  /** What a system needs for it; a system without it has no row. */
  readonly needs: keyof System
  /** Whether the round trips of one operation are counted too. */
  readonly roundTrips?: boolean
  /** One operation. @param n counts up */
  run(system: System, n: number): Promise<unknown>
  /** A caller beside, who is not counted. */
  beside?(system: System): Promise<unknown>
  /** Throws if the answers are wrong. @param ask runs SQL past the system, and gives the only value of the only row */
  check(system: System, ask: (sql: string) => Promise<unknown>): Promise<void>
}

export const userCount = 10_000

/** For every system: a connection for each caller of the transactions. */
export const poolSize = 16

export function items(seed: number): NewItem[] {
  return Array.from({ length: 10_000 }, (_, n) => ({ n, label: `item ${n} of "${seed}"`, price: n / 100 }))
}

const someItems = items(1)
const randomId = (): number => 1 + Math.floor(Math.random() * userCount)

/** Half of them are there already, from the server's set-up or from the upsert before. */
function halfKnown(count: number): NewItem[] {
  const first = (count + 1) * 5_000
  return someItems.map(({ n, label, price }) => ({ n: first + n, label, price }))
}

async function checkLookup(system: System): Promise<void> {
  const user = await system.pointLookup(7)
  expect(user?.id === 7 && user.email === 'user7@example.com' && user.createdAt instanceof Date && user.isActive, user)
  expect((await system.pointLookup(-1)) === null, 'a user that is not there')
}

function checkUsers(users: readonly UserWithPosts[]): void {
  const right = users.every(
    ({ id, posts }, at) => id === at + 1 && posts.every((post, nth) => post.id === at * 10 + nth + 1),
  )
  expect(users.length === 100 && right && users.every(({ posts }) => posts.length === 10), users[0])
}

export const works: readonly Work[] = [
  {
    name: 'point-lookup-1',
    title: 'point lookup, 1 caller',
    callers: 1,
    needs: 'pointLookup',
    run: (system) => system.pointLookup(randomId()),
    check: checkLookup,
  },
  {
    name: 'point-lookup-64',
    title: 'point lookup, 64 callers',
    callers: 64,
    needs: 'pointLookup',
    run: (system) => system.pointLookup(randomId()),
    check: checkLookup,
  },
  {
    name: 'rows-1000x5',
    title: '1000 rows × 5 columns, 4 callers',
    callers: 4,
    needs: 'rows1000',
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
    needs: 'rows100',
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
    needs: 'usersWithPosts',
    roundTrips: true,
    run: (system) => system.usersWithPosts(),
    check: async (system) => checkUsers(await system.usersWithPosts()),
  },
  {
    name: 'users-with-posts-json',
    title: '100 users with 10 posts each as JSON in one statement, 8 callers',
    callers: 8,
    needs: 'usersWithPostsJson',
    roundTrips: true,
    run: (system) => system.usersWithPostsJson!(),
    check: async (system) => checkUsers(await system.usersWithPostsJson!()),
  },
  {
    name: 'insert-in-transaction',
    title: 'insert in a transaction, 16 callers',
    callers: 16,
    needs: 'insertInTransaction',
    roundTrips: true,
    run: (system, n) => system.insertInTransaction(n),
    check: async (system, ask) => {
      const id = await system.insertInTransaction(7)
      expect((await ask(`select customer from orders where id = ${id}`)) === 'customer 7', id)
    },
  },
  {
    name: 'two-inserts-in-transaction',
    title: 'two inserts in a transaction, 16 callers',
    callers: 16,
    needs: 'twoInsertsInTransaction',
    roundTrips: true,
    run: (system, n) => system.twoInsertsInTransaction(n),
    check: async (system, ask) => {
      const id = await system.twoInsertsInTransaction(7)
      expect((await ask(`select quantity from order_lines join orders on id = order_id where id = ${id}`)) === 7, id)
    },
  },
  {
    name: 'bulk-insert-10k',
    title: 'insert of 10,000 rows',
    callers: 1,
    needs: 'bulkInsert',
    run: (system) => system.bulkInsert(someItems),
    check: async (system, ask) => {
      expect((await system.bulkInsert(someItems)) === 10_000, 'a bulk insert')
      expect((await ask(written('new_items'))) === 10_000, 'what a bulk insert wrote')
    },
  },
  {
    name: 'bulk-update-10k',
    title: 'update of 10,000 rows',
    callers: 1,
    needs: 'bulkUpdate',
    run: (system) => system.bulkUpdate(someItems),
    check: async (system, ask) => {
      expect((await system.bulkUpdate(someItems)) === 10_000, 'a bulk update')
      expect((await ask(written('items'))) === 10_000, 'what a bulk update wrote')
    },
  },
  {
    name: 'bulk-upsert-10k',
    title: 'upsert of 10,000 rows, half of which are there',
    callers: 1,
    needs: 'bulkUpsert',
    run: (system, n) => system.bulkUpsert(halfKnown(n)),
    check: async (system, ask) => {
      expect((await system.bulkUpsert(someItems)) === 10_000, 'an upsert of what is there')
      expect((await ask(written('items'))) === 10_000, 'what an upsert of what is there wrote')
      expect((await system.bulkUpsert(halfKnown(0))) === 10_000, 'an upsert of which half is there')
      expect((await ask('select count(*)::int from items')) === 15_000, 'what an upsert of which half is there wrote')
    },
  },
  {
    name: 'point-lookup-beside-reports',
    title: 'point lookup, 8 callers, beside a caller of 1 s reports',
    callers: 8,
    needs: 'pointLookup',
    run: (system) => system.pointLookup(randomId()),
    beside: (system) => system.report(),
    check: checkLookup,
  },
]

/** How many of a table's rows are as `someItems` has them. */
function written(table: string): string {
  return `select count(*)::int from ${table} where label = format('item %s of "1"', n) and price = n / 100.0::float8`
}

function expect(holds: unknown, what: unknown): void {
  if (!holds) throw new Error(`wrong answer: ${JSON.stringify(what)}`)
}
