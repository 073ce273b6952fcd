#!/usr/bin/env node
// The `plainsql` command: finds the subcommand, runs it, prints its error. Every subcommand has its own file.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type CommandOptions, commandOptions, helpText, UsageError } from './options.ts'

/** Loaded when they are run: the generator takes longer to load than to say what is wrong with a command line. */
const commands: ReadonlyMap<string, () => Promise<(options: CommandOptions) => Promise<number>>> = new Map([
  ['generate', async () => (await import('./generate.ts')).generate],
  ['check', async () => (await import('./check.ts')).check],
])

process.exitCode = await main(process.argv.slice(2))

/** @returns the exit code: 0 all is well, 1 the project is not, 2 the command line is not */
async function main(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parseArguments(args)
    const [name, ...rest] = positionals
    if (values.version) {
      console.log(await ownVersion())
      return 0
    }
    if (values.help || name === undefined) {
      console.log(helpText)
      return values.help ? 0 : 2
    }
    const command = commands.get(name)
    if (command === undefined) throw new UsageError(`there is no command "${name}"`)
    if (rest.length > 0) throw new UsageError(`"${name}" takes no arguments, got "${rest.join(' ')}"`)
    const run = await command()
    return await run(values)
  } catch (error) {
    console.error(`plainsql: ${error instanceof Error ? error.message : String(error)}`)
    if (!(error instanceof UsageError)) return 1
    console.error('See plainsql --help')
    return 2
  }
}

async function ownVersion(): Promise<string> {
  const manifest = await readFile(join(import.meta.dirname, '../../package.json'), 'utf8')
  return JSON.parse(manifest).version
}

function parseArguments(args: string[]) {
  try {
    return parseArgs({ args, options: commandOptions, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
