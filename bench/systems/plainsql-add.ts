// plainsql again, for the works with transactions: the last write is deferred by uow.add, which leaves it to the unit
// when to send it. Its result, where it is wanted, is there when the unit is over.

import { createDatabase } from '../build/index.js'
import { insertLine, insertOrder } from '../sql/orders.sql.ts'
import { poolSize, type System } from '../works.ts'

type Units = Pick<System, 'insertInTransaction' | 'twoInsertsInTransaction' | 'close'>

export async function open(url: string): Promise<Units> {
  const db = createDatabase({ url, pool: { max: poolSize } })
  return {
    insertInTransaction: async (n) => {
      const added = await db.unitOfWork(async (uow) => uow.add(insertOrder, { customer: `customer ${n}` }))
      return added.result
    },
    twoInsertsInTransaction: (n) =>
      db.unitOfWork(async (uow) => {
        const orderId = await insertOrder(uow, { customer: `customer ${n}` })
        uow.add(insertLine, { orderId, product: 'book', quantity: n % 10 })
        return orderId
      }),
    close: () => db.close(),
  }
}
