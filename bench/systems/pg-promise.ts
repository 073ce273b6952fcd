// pg-promise: prepared statements by name, and its helpers for many rows.

import pgPromise from 'pg-promise'
import { attach, sql } from '../schema.ts'
import { type NewItem, poolSize, type System } from '../works.ts'

export async function open(url: string): Promise<System> {
  const pgp = pgPromise({ capSQL: false })
  const db = pgp({ connectionString: url, max: poolSize })
  const statement = (name: keyof typeof sql, values: unknown[] = []) => ({ name, text: sql[name], values })
  const inserted = new pgp.helpers.ColumnSet(['n', 'label', 'price'], { table: 'new_items' })
  const updated = new pgp.helpers.ColumnSet(['?n', 'label', { name: 'price', cast: 'float8' }], { table: 'items' })
  const upserted = new pgp.helpers.ColumnSet(['n', 'label', 'price'], { table: 'items' })
  const onConflict = ` on conflict (n) do update set ${upserted.assignColumns({ from: 'excluded', skip: 'n' })}`
  return {
    pointLookup: (id) => db.oneOrNone(statement('user', [id])),
    rows1000: () => db.any(statement('rows1000')),
    rows100: () => db.any(statement('rows100')),
    usersWithPosts: () =>
      db.task(async (task) => {
        const users = await task.any(statement('users100'))
        return attach(users, await task.any(statement('posts', [users.map((user) => user.id)])))
      }),
    usersWithPostsJson: () => db.any(statement('usersWithPosts')),
    insertInTransaction: (n) => db.tx(async (tx) => (await tx.one(statement('insertOrder', [`customer ${n}`]))).id),
    twoInsertsInTransaction: (n) =>
      db.tx(async (tx) => {
        const { id } = await tx.one(statement('insertOrder', [`customer ${n}`]))
        await tx.none(statement('insertLine', [id, 'book', n % 10]))
        return id
      }),
    bulkInsert: (items) => db.result(pgp.helpers.insert(items as NewItem[], inserted), [], (result) => result.rowCount),
    bulkUpdate: (items) =>
      db.result(`${pgp.helpers.update(items as NewItem[], updated)} where v.n = t.n`, [], (result) => result.rowCount),
    bulkUpsert: (items) =>
      db.result(pgp.helpers.insert(items as NewItem[], upserted) + onConflict, [], (result) => result.rowCount),
    report: () => db.any(statement('report')),
    close: () => db.$pool.end(),
  }
}
