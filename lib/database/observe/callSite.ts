// Where in the caller's code something was called, for errors that have to name two places.

import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** In a bundle of CommonJS there is none. */
const own: string = import.meta.url ?? ''
const isBundled = !/\/database\/observe\/callSite\.[jt]s$/.test(own)
/** lib/, or dist/ where it is installed; or the bundle, in which our frames cannot be told from the caller's. */
const library = isBundled ? own : new URL('../..', own).href
const libraryPath = own === '' ? '' : fileURLToPath(library)
const installed = /[\\/]node_modules[\\/]plainsql[\\/]/

/** Whether callers can be found: in a bundle only with its source map (`node --enable-source-maps`). */
export function findsCallers(): boolean {
  return !isBundled || process.sourceMapsEnabled
}

/** More than plainsql's own frames below most callers; each one costs. */
const usualDepth = 6
/** Stacks in a second that are remembered in case of an error: each costs as much as a tenth of a unit of work. */
const perSecond = 100

let second = 0
let remembered = 0

/** Where a function was called, for an error that may come later; null under a load at which that would be a burden. */
export function callSiteUnderLoad(above: (...args: never[]) => unknown): CallSite | null {
  const now = Math.floor(performance.now() / 1_000)
  if (now !== second) {
    second = now
    remembered = 0
  }
  return remembered++ < perSecond ? new CallSite(above) : null
}

/** Remembers the stack above a function. Cheap: it becomes text only when an error needs it. */
export class CallSite {
  declare readonly stack: string

  /**
   * @param above the function whose callers matter
   * @param depth how many frames to remember
   */
  constructor(above: (...args: never[]) => unknown, depth: number = usualDepth) {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = depth
    Error.captureStackTrace(this, above)
    Error.stackTraceLimit = stackTraceLimit
  }

  /** `src/orders.ts:12:9`: the nearest caller outside of plainsql, or null if the stack does not say. */
  get place(): string | null {
    const frames = this.stack.split('\n').slice(1)
    // Some frames have no place: `at new Promise (<anonymous>)`.
    const placed = frames.filter((line) => /:\d+:\d+\)?$/.test(line) && !/node:/.test(line))
    const isOwn = (line: string): boolean =>
      line.includes(library) || line.includes(libraryPath) || (isBundled && installed.test(line))
    const frame = placed.find((line) => !isOwn(line))
    const [, location = ''] = frame?.match(/\(?((?:file:\/\/)?[^\s()]+:\d+:\d+)\)?$/) ?? []
    if (location === '') return null
    const [, file = '', position = ''] = location.match(/^(.*?)(:\d+:\d+)$/) ?? []
    return relative(process.cwd(), file.startsWith('file:') ? fileURLToPath(file) : file) + position
  }
}
