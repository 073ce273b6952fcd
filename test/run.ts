// The test runner: every test/**/*.test.ts in a process of its own, several at once, on one PostgreSQL for all.
// In: parts of paths as arguments (none: all files). Out: one line per file, the output of those that fail, and
// `N passed, N failed` as the last line; exit code 1 for any failure, and for no tests at all.
//
// uvu's own runner answers 0 tests with exit code 0; so does a file that forgets `test.run()`. Here both are failures,
// and so is a skipped test, a process that does not end, and one that ends before its tests do.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { typescriptFlags } from './support/nodeFlags.ts'
import { testServer } from './support/server.ts'

interface Result {
  readonly passed: number
  readonly failed: number
  /** Empty if all is well. */
  readonly problem: string
  readonly output: string
}

/** A file to run; `plain` is with `client.query` instead of the wire. */
interface Run {
  readonly file: string
  readonly plain: boolean
}

/** Where `plain` makes a difference, unless a file says `// wire only: why` in its first lines. */
const plainFolders = /^test\/(database|query|testing|examples)\//
/** `1`: only the plain way; `both`: both ways, as in CI. */
const ways = process.env.PLAINSQL_PLAIN
const files = findFiles(process.argv.slice(2)).filter(canRun)
const runs: Run[] = [
  ...(ways === '1' ? [] : files.map((file) => ({ file, plain: false }))),
  ...(ways === undefined ? [] : files.filter(hasPlainWay).map((file) => ({ file, plain: true }))),
]
const running = new Set<ChildProcess>()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const child of running) killGroup(child)
    // The server ends with this process.
    process.exit(130)
  })
}

const server = await testServer()
let passed = 0
let failed = 0
// Those that take longest first, so that nobody waits for one of them alone at the end.
const queue = [...runs].sort((a, b) => secondsFor(b.file) - secondsFor(a.file))
// More than there are processors: some mostly wait, or let others go first.
await Promise.all(Array.from({ length: availableParallelism() + 2 }, runQueue))
await server.stop()
if (runs.length === 0) console.log('no test file matches')
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0

function findFiles(filters: readonly string[]): string[] {
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((path) => `test/${path.replaceAll('\\', '/')}`)
    .filter(
      (path) => path.endsWith('.test.ts') && (filters.length === 0 || filters.some((part) => path.includes(part))),
    )
    .sort()
}

/**
 * A file that reads other projects' data says so with `// needs: ../shared/corpora` in its first lines: the data is not
 * part of the repository. Where it is missing the file is named and left out; not so in CI, which has it.
 */
function canRun(file: string): boolean {
  const [, needs] = /^\/\/ needs: (\S+)$/m.exec(headOf(file)) ?? []
  if (needs === undefined || existsSync(needs) || process.env.CI) return true
  console.log(`left out: ${file} needs ${needs}, data of other projects that is not part of this repository`)
  return false
}

function hasPlainWay(file: string): boolean {
  return plainFolders.test(file) && !headOf(file).includes('\n// wire only: ')
}

function headOf(file: string): string {
  return readFileSync(file, 'utf8').slice(0, 1000)
}

async function runQueue(): Promise<void> {
  for (let run = queue.shift(); run !== undefined; run = queue.shift()) {
    const start = performance.now()
    const result = await runFile(run)
    const file = run.plain ? `${run.file} (plain)` : run.file
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    passed += result.passed
    failed += result.failed
    if (result.problem === '') console.log(`ok    ${file}  ${result.passed} tests, ${seconds} s`)
    else console.log(`FAIL  ${file}  ${result.problem}, ${seconds} s\n${result.output.replace(/^/gm, '    ')}`)
  }
}

/** A file may ask for more than 60 seconds with `// timeout: 120` in its first lines. */
function secondsFor(file: string): number {
  const [, timeout = '60'] = /^\/\/ timeout: (\d+)$/m.exec(headOf(file)) ?? []
  return Number(timeout)
}

async function runFile({ file, plain }: Run): Promise<Result> {
  const timeout = secondsFor(file)
  const flags = [...typescriptFlags, ...(plain ? ['--import', import.meta.resolve('./support/plain.ts')] : [])]
  const child = spawn(process.execPath, [...flags, file], {
    env: {
      ...process.env,
      NO_COLOR: '1',
      FORCE_COLOR: undefined,
      PLAINSQL_TEST_SERVER: server.url,
      PLAINSQL_PLAIN: plain ? '1' : undefined,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that what a test starts can be killed with it.
    detached: true,
  })
  running.add(child)
  let output = ''
  let timedOut = false
  const collect = (chunk: string) => {
    output += chunk
  }
  child.stdout.setEncoding('utf8').on('data', collect)
  child.stderr.setEncoding('utf8').on('data', collect)
  const timer = setTimeout(() => {
    timedOut = true
    killGroup(child)
  }, timeout * 1000)
  // 'exit' and not 'close': a process that the test left behind may hold the pipes open for ever.
  const code = await new Promise<number | string>((done) => {
    child.once('exit', (exitCode, signal) => setImmediate(done, exitCode ?? signal ?? 'killed'))
  })
  clearTimeout(timer)
  running.delete(child)
  return judge(output, timedOut ? `did not end within ${timeout} s` : code === 0 ? '' : `exit code ${code}`)
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    // It has ended by itself in this moment.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function judge(output: string, ending: string): Result {
  const total = lastNumber(output, 'Total')
  const passed = lastNumber(output, 'Passed') ?? 0
  const skipped = lastNumber(output, 'Skipped') ?? 0
  const failed = (total ?? 0) - passed
  const problem =
    total === null
      ? `no tests were run; is test.run() missing? ${ending}`.trim()
      : total === 0
        ? 'no tests'
        : failed > 0
          ? `${failed} of ${total} failed`
          : skipped > 0
            ? `${skipped} skipped (or others are test.only)`
            : output.includes('Exiting early before testing is finished')
              ? 'ended before its tests did'
              : ending
  // A file that fails as a whole counts as one failure.
  return { passed, failed: problem !== '' && failed === 0 ? 1 : failed, problem, output }
}

/** uvu prints `  Total:     12` at the end of a file. */
function lastNumber(output: string, label: string): number | null {
  const matches = [...output.matchAll(new RegExp(`^\\s*${label}:\\s+(\\d+)$`, 'gm'))]
  const last = matches.at(-1)
  return last ? Number(last[1]) : null
}
