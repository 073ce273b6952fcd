// A job queue in a table, worked off by several workers at once: `for update skip locked` inside a unit of work.
// Run it with `npx tsx examples/queue.ts`. It needs no server; DATABASE_URL is used if it is set.
//
// A worker holds its job by the lock of the row: if the worker dies, the lock ends with its connection, everything it
// did is rolled back, and the job is there for the next one. There is no "in progress" state to clean up.

import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { createDatabase, type Executor } from 'plainsql'
import {
  countJobs,
  countLetters,
  enqueueJob,
  finishJob,
  postponeJob,
  type TakeJobRow,
  takeJob,
  writeLetter,
} from './jobs/jobs.sql.ts'
import { openPlayground } from './support/playground.ts'
import { say, step } from './support/story.ts'

const workers = 4

await using playground = await openPlayground('plainsql_queue')
const setup = new Client(playground.url)
await setup.connect()
await setup.query(await readFile(new URL('jobs/schema.sql', import.meta.url), 'utf8'))
await setup.end()
await using db = createDatabase({ url: playground.url, pool: { max: workers } })

await step('Forty jobs in one unit of work, which is one round trip and a COMMIT', async () => {
  await db.unitOfWork(async (uow) => {
    for (let job = 1; job <= 39; job++) uow.add(enqueueJob, { kind: 'letter', recipient: `reader ${job}` })
    uow.add(enqueueJob, { kind: 'pigeon', recipient: 'reader 40' })
  })
})

await step(`${workers} workers until nothing is left`, async () => {
  const done = await Promise.all(Array.from({ length: workers }, workOff))
  say(`they took ${done.join(', ')} jobs`)
})

await step('What became of them', async () => {
  const jobs = await countJobs(db)
  const letters = await countLetters(db)
  say(`${jobs.done} done, ${jobs.waiting} waiting, ${jobs.givenUp} given up after 3 attempts`)
  say(`${letters.letters} letters were written, for ${letters.jobs} jobs`)
  if (letters.letters !== 39 || letters.jobs !== 39) throw new Error('a job was lost, or done twice')
})

/** Takes jobs until there are none. Answers how many it took. */
async function workOff(): Promise<number> {
  let taken = 0
  for (;;) {
    if (await workOnce()) taken++
    else if ((await countJobs(db)).waiting === 0) return taken
    // The rest is with others, or due later.
    else await sleep(5)
  }
}

/** One job, with its effects and its end, in one unit of work. Answers whether there was one. */
async function workOnce(): Promise<boolean> {
  return db.unitOfWork(async (uow) => {
    const job = await takeJob(uow)
    if (job === null) return false
    try {
      // In a savepoint, so that what a failing job did is undone, and its failure can still be written down.
      await uow.savepoint((sp) => perform(sp, job))
      await finishJob(uow, { id: job.id })
    } catch (error) {
      await postponeJob(uow, { id: job.id, problem: String(error), seconds: 0.01 * 2 ** job.attempts })
    }
    return true
  })
}

async function perform(on: Executor, job: TakeJobRow): Promise<void> {
  await writeLetter(on, { jobId: job.id, recipient: job.recipient })
  if (job.kind !== 'letter') throw new Error(`nobody knows how to send a ${job.kind}`)
}
