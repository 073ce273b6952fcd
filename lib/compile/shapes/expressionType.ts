// The type of an expression's value, as the analyzed tree says it: an OID, 0 where it does not.

import type { Catalog } from '../catalog.ts'
import type { TreeNode } from '../model.ts'
import { visibleTargets } from '../nullability/scope.ts'
import { int, isNode, node, nodes } from '../tree.ts'

/** The field that holds the type, by the node's tag (`nodes/primnodes.h`). */
const fields: Readonly<Record<string, string>> = {
  VAR: 'vartype',
  CONST: 'consttype',
  PARAM: 'paramtype',
  AGGREF: 'aggtype',
  WINDOWFUNC: 'wintype',
  FUNCEXPR: 'funcresulttype',
  OPEXPR: 'opresulttype',
  NULLIFEXPR: 'opresulttype',
  CASEEXPR: 'casetype',
  COALESCEEXPR: 'coalescetype',
  MINMAXEXPR: 'minmaxtype',
  RELABELTYPE: 'resulttype',
  COERCEVIAIO: 'resulttype',
  ARRAYCOERCEEXPR: 'resulttype',
  CONVERTROWTYPEEXPR: 'resulttype',
  COERCETODOMAIN: 'resulttype',
  FIELDSELECT: 'resulttype',
  FIELDSTORE: 'resulttype',
  ROWEXPR: 'row_typeid',
  ARRAYEXPR: 'array_typeid',
  SUBSCRIPTINGREF: 'refrestype',
  SQLVALUEFUNCTION: 'type',
  NEXTVALUEEXPR: 'typeId',
  SETTODEFAULT: 'typeId',
  MERGESUPPORTFUNC: 'msftype',
  CASETESTEXPR: 'typeId',
  COERCETODOMAINVALUE: 'typeId',
}

/** OIDs that are the same in every PostgreSQL (`catalog/pg_type.dat`). */
export const oids: {
  readonly bool: 16
  readonly int8: 20
  readonly int4: 23
  readonly text: 25
  readonly json: 114
  readonly xml: 142
  readonly jsonb: 3802
  readonly unknown: 705
  readonly record: 2249
} = { bool: 16, int8: 20, int4: 23, text: 25, json: 114, xml: 142, jsonb: 3802, unknown: 705, record: 2249 }

const booleans = new Set([
  'BOOLEXPR',
  'NULLTEST',
  'BOOLEANTEST',
  'DISTINCTEXPR',
  'SCALARARRAYOPEXPR',
  'ROWCOMPAREEXPR',
  'JSONISPREDICATE',
  'CURRENTOFEXPR',
])

export function typeOf(expression: TreeNode, catalog: Catalog): number {
  const { tag } = expression
  const field = fields[tag]
  if (field !== undefined) return int(expression, field)
  if (booleans.has(tag)) return oids.bool
  switch (tag) {
    case 'COLLATEEXPR':
    case 'TARGETENTRY':
      return typeOf(node(expression, tag === 'TARGETENTRY' ? 'expr' : 'arg')!, catalog)
    case 'GROUPINGFUNC':
      return oids.int4
    case 'SUBLINK':
      return typeOfSubLink(expression, catalog)
    case 'JSONVALUEEXPR':
      return typeOf(node(expression, 'formatted_expr') ?? node(expression, 'raw_expr')!, catalog)
    case 'JSONCONSTRUCTOREXPR':
    case 'JSONEXPR':
      return int(node(expression, 'returning')!, 'typid')
    case 'XMLEXPR':
      // XmlExprOp 6 is XMLSERIALIZE, 7 IS DOCUMENT.
      return int(expression, 'op') === 7 ? oids.bool : int(expression, 'op') === 6 ? oids.text : oids.xml
    default:
      return 0
  }
}

/** SubLinkType: 4 one value, 6 ARRAY(); those before 4 are conditions. */
function typeOfSubLink(link: TreeNode, catalog: Catalog): number {
  const kind = int(link, 'subLinkType')
  const query = node(link, 'subselect')
  if (kind < 4) return oids.bool
  if (!isNode(query, 'QUERY')) return 0
  const target = visibleTargets(query)[0]
  const type = target ? typeOf(target, catalog) : 0
  if (kind !== 6) return type
  // The array of arrays is of the same type.
  const found = catalog.types.get(type)
  return found && found.element !== 0 ? type : (found?.array ?? 0)
}

/** The types of the columns of a range table entry that is not a table, in order. */
export function columnTypes(entry: TreeNode, catalog: Catalog): readonly number[] {
  const query = node(entry, 'subquery')
  if (query) return visibleTargets(query).map((target) => typeOf(target, catalog))
  const aliases = nodes(entry, 'joinaliasvars')
  if (aliases.length > 0) return aliases.map((alias) => typeOf(alias, catalog))
  for (const field of ['coltypes', 'ctecoltypes']) {
    const types = entry[field]
    if (Array.isArray(types)) return types.map(Number)
  }
  return []
}
