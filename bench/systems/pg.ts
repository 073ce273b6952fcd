// node-postgres, as its documentation says: pool.query for single statements, pool.connect for transactions. With
// `named`, every statement has a name, so that it is prepared once per connection.

import pg from 'pg'
import { attach, sql } from '../schema.ts'
import { type NewItem, poolSize, type System, type UserRow } from '../works.ts'

export async function open(url: string, named = false): Promise<System> {
  const pool = new pg.Pool({ connectionString: url, max: poolSize })
  const query = (name: keyof typeof sql, values: unknown[] = []) =>
    named ? { name, text: sql[name], values } : { text: sql[name], values }
  const columns = (items: readonly NewItem[]) => [
    items.map((item) => item.n),
    items.map((item) => item.label),
    items.map((item) => item.price),
  ]
  const transaction = async <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const result = await work(client)
      await client.query('COMMIT')
      return result
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  }
  return {
    pointLookup: async (id) => (await pool.query<UserRow>(query('user', [id]))).rows[0] ?? null,
    rows1000: async () => (await pool.query(query('rows1000'))).rows,
    rows100: async () => (await pool.query(query('rows100'))).rows,
    usersWithPosts: async () => {
      const users = (await pool.query(query('users100'))).rows
      return attach(users, (await pool.query(query('posts', [users.map((user) => user.id)]))).rows)
    },
    usersWithPostsJson: async () => (await pool.query(query('usersWithPosts'))).rows,
    insertInTransaction: (n) =>
      transaction(async (client) => (await client.query(query('insertOrder', [`customer ${n}`]))).rows[0].id),
    twoInsertsInTransaction: (n) =>
      transaction(async (client) => {
        const { rows } = await client.query(query('insertOrder', [`customer ${n}`]))
        await client.query(query('insertLine', [rows[0].id, 'book', n % 10]))
        return rows[0].id
      }),
    bulkInsert: async (items) => (await pool.query(query('insertItems', columns(items)))).rowCount ?? 0,
    bulkUpdate: async (items) => (await pool.query(query('updateItems', columns(items)))).rowCount ?? 0,
    bulkUpsert: async (items) => (await pool.query(query('upsertItems', columns(items)))).rowCount ?? 0,
    report: () => pool.query(query('report')),
    close: () => pool.end(),
  }
}
