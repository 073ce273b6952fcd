// Money transfers by many callers at once, with a rule over several rows: a customer may overdraw an account as long as
// the customer's other accounts cover it. Under SERIALIZABLE the rule is plain code: read, decide, write. Of two units
// that would break it together PostgreSQL fails one (40001), and `retry` runs that one again, on what is true by then.
// Run it with `npx tsx examples/transfer.ts`. It needs no server; DATABASE_URL is used if it is set.

import { readFile } from 'node:fs/promises'
import { Client } from 'pg'
import { createDatabase } from 'plainsql'
import {
  changeBalance,
  countTransfers,
  getFunds,
  getTotal,
  listOverdrawnCustomers,
  openAccount,
  recordTransfer,
} from './bank/accounts.sql.ts'
import { openPlayground } from './support/playground.ts'
import { say, step } from './support/story.ts'

const customers = 5
const opening = 50

class NotCoveredError extends Error {}

await using playground = await openPlayground('plainsql_transfer')
const setup = new Client(playground.url)
await setup.connect()
await setup.query(await readFile(new URL('bank/schema.sql', import.meta.url), 'utf8'))
await setup.end()
await using db = createDatabase({ url: playground.url, pool: { max: 8 } })

let attempts = 0
let receipts = 0

/** Moves money between two accounts. Answers the number of the transfer. @throws NotCoveredError */
async function transfer(source: number, target: number, amount: number): Promise<number> {
  return db.unitOfWork(
    async (uow) => {
      attempts++
      const owner = await getFunds(uow, { account: source })
      if (owner === null) throw new Error(`there is no account ${source}`)
      if (owner.funds < amount) throw new NotCoveredError(`customer ${owner.customer} has but ${owner.funds}`)
      // Independent of each other: sent together, one round trip.
      const [, , id] = await Promise.all([
        changeBalance(uow, { account: source, by: -amount }),
        changeBalance(uow, { account: target, by: amount }),
        recordTransfer(uow, { source, target, amount }),
      ])
      // Not before the commit, and not once per attempt.
      uow.afterCommit(() => receipts++)
      return id
    },
    { isolation: 'serializable', retry: { attempts: 100 }, verifyCommit: true },
  )
}

await step(`${customers} customers with two accounts each`, async () => {
  await db.unitOfWork(async (uow) => {
    for (let id = 1; id <= 2 * customers; id++) {
      uow.add(openAccount, { id, customer: Math.ceil(id / 2), balance: opening })
    }
  })
  say(`there are ${await getTotal(db)} in the bank`)
})

await step('200 transfers by 8 callers at once', async () => {
  let made = 0
  let refused = 0
  const order = Array.from({ length: 200 }, (_, number) => number)
  const caller = async (): Promise<void> => {
    for (let number = order.pop(); number !== undefined; number = order.pop()) {
      const source = 1 + (number % (2 * customers))
      const target = 1 + ((source + number) % (2 * customers))
      if (source === target) continue
      await transfer(source, target, 10 + (number % 30)).then(
        () => made++,
        (error: unknown) => {
          if (!(error instanceof NotCoveredError)) throw error
          refused++
        },
      )
    }
  }
  await Promise.all(Array.from({ length: 8 }, caller))
  say(`${made} made, ${refused} refused because they were not covered`)
  say(`${attempts - made - refused} more attempts, because units had got in each other's way`)
  if (receipts !== made || (await countTransfers(db)) !== made) throw new Error('a transfer was lost, or made twice')
})

await step('What must be true', async () => {
  const total = await getTotal(db)
  const overdrawn = await listOverdrawnCustomers(db)
  say(`there are ${total} in the bank, as before; customers below zero: ${overdrawn.length}`)
  if (total !== 2 * customers * opening || overdrawn.length > 0) throw new Error('the books do not balance')
})
