// DescribedQuery → AnalyzedQuery: puts together what PostgreSQL said, what was proven of NULL, the author's word and the
// settings. Pure. Also finds what is wrong with a query that PostgreSQL itself accepts.

import { checkCardinality } from './cardinality/check.ts'
import type { Catalog } from './catalog.ts'
import { checkCollisions, typeNamesOf } from './collisions.ts'
import type { Config } from './config.ts'
import type { DescribedColumn, DescribedQuery, Diagnostic, Kind, Nullability, ParsedParam, SqlFile } from './model.ts'
import { camelCase, freeName, pascalCase } from './naming.ts'
import { analyzeColumns, analyzeParams } from './nullability.ts'
import { problem } from './problem.ts'
import { checkRequiredColumns } from './requiredColumns.ts'
import { shapeOfOutput } from './shapes/shapes.ts'
import { ShapeTypes, shapeName } from './shapeTypes.ts'
import { TypeMapper, type ValueType } from './types.ts'
import { checkEffects } from './withoutEffect.ts'

/** A column of the result, ready to be written down. */
export interface AnalyzedColumn {
  /** The property of the row. */
  readonly key: string
  readonly type: ValueType
  readonly nullability: Nullability
}

/** A parameter, ready to be written down. */
export interface AnalyzedParam extends ParsedParam {
  /** The property of the params object. */
  readonly key: string
  readonly type: ValueType
  readonly nullability: Nullability
}

export interface AnalyzedQuery extends DescribedQuery {
  readonly resultColumns: readonly AnalyzedColumn[]
  readonly arguments: readonly AnalyzedParam[]
  /** Why there may be more rows than the kind promises, if the author says that there are not; else null. */
  readonly unproven: string | null
}

/** The verdicts on all queries of a compilation, and the problems found on the way. */
export function analyze(
  queries: readonly DescribedQuery[],
  catalog: Catalog,
  config: Config,
): { analyzed: AnalyzedQuery[]; diagnostics: Diagnostic[] } {
  const taken = new Set(queries.flatMap((query) => [...typeNamesOf(query), pascalCase(query.name)]))
  const types = new TypeMapper(catalog, config, taken)
  const diagnostics: Diagnostic[] = []
  const analyzed = queries.map((query) => {
    const misshapen = checkShape(query)
    diagnostics.push(...misshapen, ...checkEffects(query, catalog), ...checkRequiredColumns(query, catalog))
    const columns = columnsOf(query, catalog, types, config, taken)
    diagnostics.push(...columns.diagnostics)
    const cardinality = checkCardinality(query, misshapen.length > 0 ? null : columns.scope)
    diagnostics.push(...cardinality.diagnostics)
    const args = paramsOf(query, catalog, types, config)
    return { ...query, resultColumns: columns.columns, arguments: args, unproven: cardinality.unproven }
  })
  const byFile = new Map<SqlFile, AnalyzedQuery[]>()
  for (const query of analyzed) byFile.set(query.file, [...(byFile.get(query.file) ?? []), query])
  for (const own of byFile.values()) diagnostics.push(...checkCollisions(own))
  return { analyzed, diagnostics }
}

/** Whether the statement returns what its kind promises. */
function checkShape(query: DescribedQuery): Diagnostic[] {
  const { file, kind, kindSpan, columns, name } = query
  if (kind === 'exec') return []
  if (columns.length === 0) {
    const hints = ['write :exec, which answers the number of affected rows, or add "returning …"']
    return [
      problem(file, kindSpan, 'no-columns', `":${kind}" needs rows, but the statement returns none`, '', {
        query: name,
        hints,
      }),
    ]
  }
  if ((kind === 'value' || kind === 'values') && columns.length !== 1) {
    const title = `":${kind}" needs exactly one column, but the statement returns ${columns.length}`
    const hints = [`select one column, or write ${kind === 'value' ? ':one' : ':many'}`]
    return [problem(file, kindSpan, 'not-one-column', title, '', { query: name, hints })]
  }
  return []
}

function columnsOf(
  query: DescribedQuery,
  catalog: Catalog,
  types: TypeMapper,
  config: Config,
  taken: ReadonlySet<string>,
) {
  const renamed = new Map<string, string>()
  const keys = new Set<string>()
  const verdicts = analyzeColumns(query, catalog)
  const typeName = pascalCase(query.name)
  const shapes = new ShapeTypes(types, config, taken)
  const columns = query.columns.map((column, index): AnalyzedColumn => {
    const verdict = verdicts[index]
    const { label, override } = readLabel(column, catalog)
    const wanted = config.casing === 'camel' ? camelCase(label) : label
    const key = freeName(wanted, keys)
    if (key !== wanted && query.kind !== 'exec') renamed.set(key, wanted)
    const shape = verdict?.env ? shapeOfOutput(verdict.env.scope, index) : null
    const name = hasRowType(query.kind) ? shapeName(`${typeName}Row`, key) : shapeName(typeName, 'value')
    return {
      key,
      type: shape ? shapes.of(shape, name, column.typeOid) : types.of(column.typeOid),
      nullability: override ?? verdict?.nullability ?? { nullable: true, reason: 'the statement gives null' },
    }
  })
  return { columns, diagnostics: duplicateColumns(query, renamed), scope: verdicts[0]?.env?.scope ?? null }
}

/** One warning for all of them: `select *` from two tables may have twenty. */
function duplicateColumns(query: DescribedQuery, renamed: ReadonlyMap<string, string>): Diagnostic[] {
  if (renamed.size === 0) return []
  const quoted = (names: Iterable<string>): string => [...new Set(names)].map((name) => `"${name}"`).join(', ')
  const others = renamed.size === 1 ? 'the second one is' : 'the later ones are'
  return [
    problem(query.file, query.nameSpan, 'duplicate-column', `two columns are called ${quoted(renamed.values())}`, '', {
      severity: 'warning',
      query: query.name,
      hints: [
        `${others} called ${quoted(renamed.keys())} here: give ${renamed.size === 1 ? 'it a name of its' : 'them names of their'} own with "as"`,
      ],
    }),
  ]
}

function hasRowType(kind: Kind): boolean {
  return kind !== 'value' && kind !== 'values'
}

/** `as "total!"` and `as "name?"`: the author's word, which beats ours. PostgreSQL's own `?column?` is no such word. */
function readLabel(
  { name, tableOid, columnNumber }: DescribedColumn,
  catalog: Catalog,
): { label: string; override: Nullability | null } {
  const columns = catalog.relations.get(tableOid)?.columns ?? []
  // Neither is the name of a column that ends so itself.
  const isOwnName = columns.some((column) => column.number === columnNumber && column.name === name)
  if (isOwnName) return { label: name, override: null }
  const label = name.slice(0, -1)
  if (name === '?column?' || label === '') return { label: name, override: null }
  if (name.endsWith('!')) return { label, override: { nullable: false, reason: 'the author says so' } }
  if (name.endsWith('?')) return { label, override: { nullable: true, reason: 'the author says so' } }
  return { label: name, override: null }
}

function paramsOf(query: DescribedQuery, catalog: Catalog, types: TypeMapper, config: Config): AnalyzedParam[] {
  const verdicts = analyzeParams(query, catalog)
  return query.params.map((param, index): AnalyzedParam => {
    const verdict = verdicts[index]
    const inferred = verdict?.nullability ?? { nullable: false, reason: 'nothing says that it accepts NULL' }
    const nullability = param.mark === null ? inferred : { nullable: param.mark === '?', reason: 'the author says so' }
    return {
      ...param,
      key: config.casing === 'camel' ? camelCase(param.name) : param.name,
      type: types.ofParam(query.paramTypeOids[index] ?? 0, {
        column: verdict?.origin ?? null,
        elements: verdict?.elementOrigin ?? null,
        // What else is done with it might not expect NULL among its elements.
        isOnlyThere: param.spans.length === 1,
      }),
      nullability,
    }
  })
}
