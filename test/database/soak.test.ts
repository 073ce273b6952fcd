// timeout: 240
// A minute of mixed load on a server of its own that restarts in the middle: no wrong answer, no unhandled rejection, no
// more connections and no more memory at the end than at the beginning. By hand and for longer:
//   SECONDS=600 npx tsx test/database/soak.test.ts
// wire only: it is about lanes

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startEmbedded } from '../../lib/embedded/index.ts'
import { letOthersGoFirst } from '../support/background.ts'
import { soak } from '../support/soak.ts'

test('mixed load and a restart: every answer is right, and nothing grows', async () => {
  letOthersGoFirst()
  await using server = await startEmbedded()
  const seconds = Number(process.env.SECONDS ?? 60)
  const problems = await soak({ url: server.url, seconds, restart: () => server.restart(), log: console.log })
  assert.ok(problems.length === 0, `\n${problems.join('\n\n')}`)
})

test.run()
