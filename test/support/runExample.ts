// Runs a TypeScript program, and answers what it printed.

import { spawn } from 'node:child_process'
import { typescriptFlags } from './nodeFlags.ts'

export interface ExampleRun {
  /** What it wrote to both streams, in order of arrival. */
  readonly output: string
  readonly code: number | null
}

/**
 * @param environment on top of ours; undefined removes a variable
 * @param folder the working directory; default: the project's
 */
export function runExample(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
  args: readonly string[] = [],
  folder: string = process.cwd(),
): Promise<ExampleRun> {
  const child = spawn(process.execPath, [...typescriptFlags, path, ...args], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const collect = (chunk: string): void => {
    output += chunk
  }
  child.stdout.setEncoding('utf8').on('data', collect)
  child.stderr.setEncoding('utf8').on('data', collect)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ output, code }))
  })
}
