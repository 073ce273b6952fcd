// docs/relationships.md and docs/bulk-writes.md, to the letter: programs print what stands below them, and excerpts of
// generated files are in those files.
// wire only: no call of it goes over a connection

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { codeBlocks } from '../support/markdown.ts'
import { runExample } from '../support/runExample.ts'
import { testServer } from '../support/server.ts'

for (const path of ['docs/relationships.md', 'docs/bulk-writes.md']) {
  const blocks = codeBlocks(readFileSync(path, 'utf8'))

  blocks.forEach(({ attributes, text, line }, index) => {
    const { excerpt } = attributes
    if (excerpt !== undefined) {
      test(`${path}:${line} is an excerpt of ${excerpt}`, () => {
        assert.ok(readFileSync(excerpt, 'utf8').includes(text), text)
      })
    }
    if ('run' in attributes) {
      test(`${path}:${line} prints what stands below it`, async () => {
        const folder = mkdtempSync('test/generated-')
        try {
          writeFileSync(join(folder, 'program.ts'), text.replaceAll("from './", "from '../../"))
          const { url } = await testServer()
          const { output } = await runExample(join(folder, 'program.ts'), { DATABASE_URL: url })
          assert.is(output, blocks[index + 1]?.text)
        } finally {
          rmSync(folder, { recursive: true, force: true })
        }
      })
    }
  })
}

test.run()
