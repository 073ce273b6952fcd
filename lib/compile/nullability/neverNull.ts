import type { Catalog, CatalogFunction } from '../catalog.ts'

const names = new Set('int4pl lower upper textcat concat now json_build_object'.split(' '))
export function neverNullRule(called: CatalogFunction, _catalog: Catalog): 'all' | readonly number[] | null {
  return called.schema === 'pg_catalog' && names.has(called.name) ? 'all' : null
}
