// A process for tests to end in many ways: starts servers, prints them as one line of JSON, and waits.
// Arguments: how many servers to start at once (default 1), and what to do then (default: wait for ever).

import { startEmbedded } from '../../lib/embedded/index.ts'

const [count = '1', then = 'wait'] = process.argv.slice(2)
const servers = await Promise.all(Array.from({ length: Number(count) }, () => startEmbedded()))
console.log(JSON.stringify(servers.map(({ url, processId }) => ({ url, processId }))))
if (then === 'wait') setInterval(() => {}, 1000)
if (then === 'exit') process.exit(0)
if (then === 'throw') throw new Error('on purpose')
if (then === 'stop') await Promise.all(servers.map((server) => server.stop()))
// 'return': nothing keeps this process running, so it ends here, with the servers still started.
