// `npm run soak`: the soak of `npm test` (test/support/soak.ts), by hand for SECONDS, 600 by default, on the benchmark's
// server, which restarts in the middle unless it is that of BENCH_URL. Exit code 1 if anything is wrong.

import { soak } from '../test/support/soak.ts'
import { openServer } from './server.ts'

const seconds = Number(process.env.SECONDS ?? 600)
const server = await openServer()
const problems = await soak({ url: server.url, seconds, restart: server.restart, log: console.log })
await server.stop()
console.log(problems.length === 0 ? 'all is well' : problems.join('\n\n'))
process.exitCode = problems.length === 0 ? 0 : 1
