// The rows of `catalog.sql`, by the functions that our own generator made of it: a connection in, rows out, all
// statements in one round trip.

import type pg from 'pg'
import { plainConnection } from '../database/plainConnection.ts'
import {
  type ListColumnsRow,
  type ListConstraintsRow,
  type ListEnumLabelsRow,
  type ListFunctionsRow,
  type ListOperatorsRow,
  type ListRelationsRow,
  type ListSqlBodiesRow,
  type ListTypesRow,
  type ListUniqueIndexesRow,
  type ListViewTreesRow,
  listColumns,
  listConstraints,
  listEnumLabels,
  listFunctionNames,
  listFunctions,
  listOperators,
  listRelations,
  listSqlBodies,
  listTypes,
  listUniqueIndexes,
  listViewTrees,
} from './catalog.sql.ts'

export interface CatalogRows {
  readonly types: readonly ListTypesRow[]
  readonly enums: readonly ListEnumLabelsRow[]
  readonly relations: readonly ListRelationsRow[]
  readonly columns: readonly ListColumnsRow[]
  readonly uniqueIndexes: readonly ListUniqueIndexesRow[]
  readonly constraints: readonly ListConstraintsRow[]
}

/** The part of the catalog that is read at once: all types, and what the database's makers put in it. */
export async function loadRows(client: pg.Client): Promise<CatalogRows> {
  const connection = plainConnection(client)
  const [types, enums, relations, columns, uniqueIndexes, constraints] = await Promise.all([
    listTypes(connection),
    listEnumLabels(connection),
    listRelations(connection, { relationOids: null }),
    listColumns(connection, { relationOids: null }),
    listUniqueIndexes(connection, { relationOids: null }),
    listConstraints(connection),
  ])
  return { types, enums, relations, columns, uniqueIndexes, constraints }
}

/** What is to be loaded, by OID. */
export interface Wanted {
  readonly relations: readonly number[]
  readonly functions: readonly number[]
  readonly operators: readonly number[]
  readonly views: readonly number[]
}

export interface WantedRows extends Pick<CatalogRows, 'relations' | 'columns' | 'uniqueIndexes'> {
  readonly functions: readonly ListFunctionsRow[]
  readonly operators: readonly ListOperatorsRow[]
  readonly views: readonly ListViewTreesRow[]
}

export async function loadMentionedRows(client: pg.Client, wanted: Wanted): Promise<WantedRows> {
  const connection = plainConnection(client)
  const relationOids = wanted.relations
  const [relations, columns, uniqueIndexes, functions, operators, views] = await Promise.all([
    ifAny(relationOids, () => listRelations(connection, { relationOids })),
    ifAny(relationOids, () => listColumns(connection, { relationOids })),
    ifAny(relationOids, () => listUniqueIndexes(connection, { relationOids })),
    ifAny(wanted.functions, () => listFunctions(connection, { functionOids: wanted.functions })),
    ifAny(wanted.operators, () => listOperators(connection, { operatorOids: wanted.operators })),
    ifAny(wanted.views, () => listViewTrees(connection, { relationOids: wanted.views })),
  ])
  return { relations, columns, uniqueIndexes, functions, operators, views }
}

export function loadSqlBodyRows(client: pg.Client, functionOids: readonly number[]): Promise<ListSqlBodiesRow[]> {
  return listSqlBodies(plainConnection(client), { functionOids })
}

export function loadFunctionNames(client: pg.Client): Promise<string[]> {
  return listFunctionNames(plainConnection(client))
}

async function ifAny<Row>(oids: readonly number[], list: () => Promise<Row[]>): Promise<Row[]> {
  return oids.length === 0 ? [] : list()
}
