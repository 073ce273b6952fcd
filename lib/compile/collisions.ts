// Names that a generated file would hold twice: those of its queries on one side; on the other what it imports, and the
// types and codecs that it declares. The analyzed queries of one file in, diagnostics out. Pure.

import type { AnalyzedQuery } from './analyze.ts'
import { kinds } from './header.ts'
import type { Diagnostic } from './model.ts'
import { pascalCase } from './naming.ts'
import { problem } from './problem.ts'
import type { ValueType } from './valueTypes.ts'

/** The names of the run time that generated files import as types. */
export const runtimeTypes: readonly string[] = [...kinds.map(pascalCase), 'JsonValue']

/** The names that a query's own types have. */
export function typeNamesOf(query: { readonly name: string }): readonly string[] {
  const type = pascalCase(query.name)
  return [`${type}Row`, `${type}Params`]
}

/** What generated code calls by these names: no query may be called so. */
const imported = new Set<string>([...kinds, 'codec', ...runtimeTypes])

export function checkCollisions(queries: readonly AnalyzedQuery[]): Diagnostic[] {
  const types = queries.flatMap((query) => [...query.resultColumns, ...query.arguments].map(({ type }) => type))
  const named = new Set(types.flatMap((type) => type.imports.map(({ name }) => name)))
  const constants = constantsOf(types)
  return queries.flatMap((query) => {
    const found = imported.has(query.name)
      ? 'what the generated file imports from the run time'
      : named.has(query.name)
        ? 'a type that the settings name'
        : constants.has(query.name)
          ? 'the codec of a type in the generated file'
          : null
    if (found === null) return []
    const title = `"${query.name}" is also the name of ${found}`
    const hints = [`say what it does, such as "get${pascalCase(query.name)}"`]
    return problem(query.file, query.nameSpan, 'name-collision', title, 'taken', { query: query.name, hints })
  })
}

/** The constants that the file declares for its types. */
function constantsOf(types: readonly ValueType[]): ReadonlySet<string> {
  const declarations = types.flatMap((type) => type.declarations)
  return new Set(declarations.filter(({ text }) => text.startsWith('const ')).map(({ name }) => name))
}
