// Settings that name what is in the database (`columns`, `types`): a name of which there is none would change nothing,
// without a word. In: the settings and the catalog. Out: an error for each such name.

import type { Catalog } from './catalog.ts'
import type { Config } from './config.ts'
import { didYouMean } from './didYouMean.ts'
import type { Diagnostic } from './model.ts'

export function checkNames({ columns, types }: Config, catalog: Catalog): Diagnostic[] {
  const knownColumns = [...catalog.relations.values()].flatMap(({ schema, name, columns: own }) =>
    own.flatMap((column) => [`${name}.${column.name}`, `${schema}.${name}.${column.name}`]),
  )
  const knownTypes = [...catalog.types.values()].flatMap(({ schema, name }) => [name, `${schema}.${name}`])
  return [
    ...unknownNames('columns', Object.keys(columns), knownColumns),
    ...unknownNames('types', Object.keys(types), knownTypes),
  ]
}

function unknownNames(setting: string, names: readonly string[], known: readonly string[]): Diagnostic[] {
  const all = new Set(known)
  return names
    .filter((name) => !all.has(name))
    .map((name) => {
      const near = didYouMean(name, all)
      return {
        severity: 'error',
        code: 'unknown-name-in-settings',
        title: `the setting "${setting}" names "${name}", which is not in the schema`,
        labels: [],
        query: null,
        hints: near === null ? [] : [`did you mean "${near}"?`],
      }
    })
}
