// pg-mem, mended (`mend.ts`, `types.ts`). Everything above hands it trees and gets rows; a state of all data costs nothing
// to keep or to put back.

import type { IBackup, ISchema } from 'pg-mem'
import { mend } from './mend.ts'
import { loadPgMem, type Node, nameOf } from './pgMem.ts'
import { mendedTypes, orderEnum } from './types.ts'

/** All data at one moment. */
export type State = IBackup

export interface Answer {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly unknown[])[]
  readonly affected: number
}

export interface Engine {
  parse(sql: string): Node[]
  /** Runs a statement on a state. @returns the answer and the state after it */
  run(tree: Node, state: State, clock: Date): { answer: Answer; state: State }
  /** Runs a CREATE, ALTER or DROP: states from before it are lost. */
  define(tree: Node): void
  /** The state after the last `define` or `run`. */
  state(): State
}

export async function createEngine(): Promise<Engine> {
  const { newDb, parse } = await loadPgMem()
  const db = newDb()
  let now = new Date()
  mend(db, () => now)
  const mended = mendedTypes(db)

  const execute = (tree: Node): Answer => {
    // pg-mem writes into the trees it is given.
    const prepared = db.public.prepare([structuredClone(tree)] as unknown as Parameters<ISchema['prepare']>[0])
    const columns = prepared.describe().result
    const result = prepared.bind().executeAll()
    const keys = rowKeys(columns.map((column) => column.name))
    const rows = result.rows.map((row: Record<string, unknown>) => keys.map((key) => row[key]))
    return { columns, rows, affected: result.rowCount }
  }
  return {
    parse,
    run(tree, state, clock) {
      state.restore()
      now = clock
      const answer = mended(() => execute(tree))
      return { answer, state: db.backup() }
    },
    define(tree) {
      mended(() => db.public.query([structuredClone(tree)] as unknown as Parameters<ISchema['query']>[0]))
      if (tree.type === 'create enum') orderEnum(db, nameOf(tree.name))
    },
    state: () => db.backup(),
  }
}

/** pg-mem's rows are objects: the second column called `id` is there as `id1`. */
function rowKeys(names: readonly string[]): string[] {
  const keys = [...names]
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) === index) continue
    for (let suffix = 1; keys.includes(keys[index]!, index + 1) || keys.indexOf(keys[index]!) < index; suffix++) {
      keys[index] = `${name}${suffix}`
    }
  }
  return keys
}
