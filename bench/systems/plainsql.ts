// plainsql, with the functions that `plainsql generate` writes beside the .sql files of ../sql.

import { createDatabase, include, relation } from '../build/index.js'
import { listEvents } from '../sql/events.sql.ts'
import { insertItem, updateItem, upsertItem } from '../sql/items.sql.ts'
import { insertLine, insertOrder } from '../sql/orders.sql.ts'
import { listPosts, listPostsByAuthor, report } from '../sql/posts.sql.ts'
import { getUser, listUsers, listUsersWithPosts } from '../sql/users.sql.ts'
import { poolSize, type System } from '../works.ts'

export async function open(url: string): Promise<System> {
  const db = createDatabase({ url, pool: { max: poolSize } })
  return {
    pointLookup: (id) => getUser(db, { id }),
    rows1000: () => listPosts(db),
    rows100: () => listEvents(db),
    usersWithPosts: async () => {
      const users = await listUsers(db)
      const withPosts = await include(db, users, {
        posts: relation(listPostsByAuthor, (user) => ({ authorId: user.id })),
      })
      return withPosts
    },
    usersWithPostsJson: () => listUsersWithPosts(db),
    insertInTransaction: (n) => db.unitOfWork(async (uow) => insertOrder(uow, { customer: `customer ${n}` })),
    twoInsertsInTransaction: (n) =>
      db.unitOfWork(async (uow) => {
        const orderId = await insertOrder(uow, { customer: `customer ${n}` })
        await insertLine(uow, { orderId, product: 'book', quantity: n % 10 })
        return orderId
      }),
    bulkInsert: (items) => insertItem.batch(db, items),
    bulkUpdate: (items) => updateItem.batch(db, items),
    bulkUpsert: (items) => upsertItem.batch(db, items),
    report: () => report(db),
    close: () => db.close(),
  }
}
