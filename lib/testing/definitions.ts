// CREATE and ALTER as pg-mem may run them. In: a tree. Out: a tree in which every constraint has PostgreSQL's name for
// it and every type is one that pg-mem keeps apart, or null if there is nothing to do; the schema remembers the rest.

import { condition } from './conditions.ts'
import { caseOf, value } from './expressions.ts'
import { isNode, type Node, nameOf, nodes, type Tree } from './pgMem.ts'
import { checkRelation, only, type Scope } from './scope.ts'
import { subquery } from './statements.ts'

export function definition(node: Node, scope: Scope): Node | null {
  const { schema } = scope
  switch (node.type) {
    case 'create table':
      return createTable(node, scope)
    case 'alter table': {
      const table = nameOf(node.table)
      return { ...node, changes: nodes(node.changes).flatMap((item) => change(item, table, scope)) }
    }
    case 'drop table':
      for (const table of nodes(node.names)) schema.dropTable(nameOf(table))
      return node
    case 'create index':
      return uniqueIndex(node, scope)
    case 'alter enum':
      only(node.change as Node, scope, 'add')
      return node
    case 'drop index': {
      const names = nodes(node.names).filter((index) => schema.hasKey(nameOf(index)))
      for (const index of names) schema.dropConstraint(nameOf(index))
      return names.length === 0 ? null : { ...node, names }
    }
    case 'create enum':
      schema.enums.add(nameOf(node.name))
      return node
    case 'create sequence':
      if (!isNode(node.name) || node.name.schema) scope.refuse('sequences outside of the schema "public"')
      checkSequence(node.options as Node, scope)
      schema.sequences.add(nameOf(node.name))
      return null
    case 'create view':
      only(node, scope, 'name', 'query', 'columnNames', 'orReplace')
      return { ...node, query: subquery(node.query as Node, scope) }
  }
  return scope.refuse(`"${String(node.type)}" in a schema`)
}

function createTable(node: Node, scope: Scope): Node | null {
  only(node, scope, 'name', 'columns', 'constraints', 'ifNotExists')
  const table = nameOf(node.name)
  if ((node.name as Node).schema) scope.refuse('tables outside of the schema "public"')
  if (scope.schema.tables.has(table) && node.ifNotExists) return null
  scope.schema.tables.add(table)
  const keyed = nodes(node.constraints).filter((item) => item.type === 'primary key')
  const notNull = new Set(keyed.flatMap((item) => nodes(item.columns).map(nameOf)))
  const columns = nodes(node.columns).map((item) => column(item, table, scope, notNull))
  return {
    ...node,
    columns: columns,
    constraints: nodes(node.constraints).map((item) => tableConstraint(item, table, scope)),
  }
}

function change(node: Node, table: string, scope: Scope): Node | Node[] {
  const { schema } = scope
  switch (node.type) {
    case 'add column':
      only(node, scope, 'column', 'ifNotExists')
      return { ...node, column: column(node.column as Node, table, scope) }
    case 'add constraint':
      return { ...node, constraint: tableConstraint(node.constraint as Node, table, scope) }
    case 'drop column':
      schema.dropColumn(table, nameOf(node.column))
      return node
    case 'drop constraint':
      schema.dropConstraint(nameOf(node.constraint))
      return node
    case 'rename':
      schema.renameTable(table, nameOf(node.to))
      return node
    case 'rename column':
      // pg-mem goes on to check the constraints of the old name, which then always hold.
      return scope.refuse('"alter table … rename column"')
    case 'owner':
      return []
    case 'alter column': {
      const alter = node.alter as Node
      const column = nameOf(node.column)
      if (alter.type === 'add generated') return { ...node, alter: generated(alter, table, column, scope) }
      if (alter.type === 'set default') {
        const own = sequenceOf(alter.default as Node, scope)
        if (own) return { ...node, alter: generated(ownSequence, table, column, scope, true) }
        return { ...node, alter: { ...alter, default: defaultValue(alter.default as Node, scope) } }
      }
      if (/^(set|drop) not null$|^drop default$/.test(String(alter.type))) return node
      return scope.refuse(`"alter column … ${String(alter.type)}"`)
    }
  }
  return scope.refuse(`"alter table … ${String(node.type)}"`)
}

function column(node: Node, table: string, scope: Scope, keyed: ReadonlySet<string> = new Set()): Node {
  if (node.kind !== 'column') scope.refuse('CREATE TABLE … LIKE')
  only(node, scope, 'kind', 'name', 'dataType', 'constraints')
  const name = nameOf(node.name)
  const serial = serials[nameOf(node.dataType)]
  const dataType = columnType(serial ? { name: serial } : (node.dataType as Node), scope)
  // pg-mem's own serials are all integers, and those that are small no serials at all.
  const ofSerial = serial ? [ownSequence, { type: 'not null' }] : []
  const constraints = [...ofSerial, ...nodes(node.constraints)].map((item) =>
    columnConstraint(item, table, name, scope),
  )
  // pg-mem has no NOT NULL on the columns of a key over several, and fails with another error.
  if (keyed.has(name) && !constraints.some((item) => item.type === 'not null')) constraints.push({ type: 'not null' })
  const range = ranges[nameOf(dataType)]
  if (range === smallint) scope.schema.smallints.add(name)
  if (range) constraints.push(inRange(name, table, range))
  return { ...node, dataType, constraints }
}

function columnConstraint(node: Node, table: string, column: string, scope: Scope): Node {
  switch (node.type) {
    case 'not null':
    case 'null':
      return node
    case 'default':
      return sequenceOf(node.default as Node, scope)
        ? generated(ownSequence, table, column, scope, true)
        : { ...node, default: defaultValue(node.default as Node, scope) }
    case 'add generated':
      return generated(node, table, column, scope)
    case 'check':
      return check(node, table, [column], scope)
    case 'reference':
      return reference(node, table, [column], scope)
    case 'primary key':
    case 'unique':
      return unique(node, table, [column], scope)
  }
  return scope.refuse(`the constraint "${String(node.type)}"`)
}

const ownSequence = { type: 'add generated', always: 'by default' }

function generated(node: Node, table: string, column: string, scope: Scope, nullable = false): Node {
  only(node, scope, 'always', 'sequence')
  if (isNode(node.sequence)) checkSequence(node.sequence, scope)
  scope.schema.addGenerated(table, column, nullable)
  return { type: node.type, always: node.always }
}

function checkSequence(options: Node, scope: Scope): void {
  const { startWith = 1, incrementBy = 1 } = options
  only(
    { ...options, type: 'sequence' },
    scope,
    'name',
    'as',
    'startWith',
    'incrementBy',
    'minValue',
    'maxValue',
    'cache',
  )
  const isBounded = [options.minValue, options.maxValue].some((bound) => typeof bound === 'number')
  if (startWith !== 1 || incrementBy !== 1 || isBounded) scope.refuse('a sequence that does not count from 1 by ones')
}

/** `nextval('users_id_seq')`, if that is a sequence of this column's alone; it is an identity then. */
function sequenceOf(node: Node, { schema }: Scope): boolean {
  const [argument] = nodes(node.args)
  if (node.type !== 'call' || nameOf(node.function) !== 'nextval' || !argument) return false
  const { value } = argument.type === 'cast' ? (argument.operand as Node) : argument
  return schema.sequences.delete(String(value).replace(/^public\./, ''))
}

function tableConstraint(node: Node, table: string, scope: Scope): Node {
  switch (node.type) {
    case 'check': {
      const columns = [...new Set(references(node.expr))]
      return check(node, table, columns.length === 1 ? columns : [], scope)
    }
    case 'foreign key':
      return reference(node, table, nodes(node.localColumns).map(nameOf), scope)
    case 'primary key':
    case 'unique':
      return unique(node, table, nodes(node.columns).map(nameOf), scope)
  }
  return scope.refuse(`the constraint "${String(node.type)}"`)
}

function unique(node: Node, table: string, columns: readonly string[], scope: Scope): Node {
  only(node, scope, 'constraintName', 'columns')
  const isPrimary = node.type === 'primary key'
  const name = named(node, () =>
    scope.schema.constraintName(table, isPrimary ? [] : columns, isPrimary ? 'pkey' : 'key'),
  )
  scope.schema.addKey({ name, table, columns, isPrimary })
  return { ...node, constraintName: { name } }
}

function reference(node: Node, table: string, columns: readonly string[], scope: Scope): Node {
  only(node, scope, 'constraintName', 'localColumns', 'foreignTable', 'foreignColumns', 'onDelete', 'onUpdate')
  if (node.onDelete === 'set default') scope.refuse('ON DELETE SET DEFAULT')
  if (node.onUpdate && node.onUpdate !== 'no action' && node.onUpdate !== 'restrict') {
    scope.refuse(`ON UPDATE ${String(node.onUpdate).toUpperCase()}`)
  }
  const name = named(node, () => scope.schema.constraintName(table, columns, 'fkey'))
  const target = nameOf(node.foreignTable)
  checkRelation(node.foreignTable as Node, scope)
  const follows = node.onDelete === 'cascade' || node.onDelete === 'set null'
  scope.schema.addForeignKey({ name, table, target, follows })
  return { ...node, constraintName: { name } }
}

/** A CHECK lets pass what is null: it fails when its negation is true. */
function check(node: Node, table: string, columns: readonly string[], scope: Scope): Node {
  only(node, scope, 'constraintName', 'expr')
  const name = named(node, () => scope.schema.constraintName(table, columns, 'check'))
  return { ...node, constraintName: { name }, expr: unless(condition(node.expr as Node, scope, true)) }
}

function unless(failure: Node): Node {
  return caseOf([{ when: failure, value: { type: 'boolean', value: false } }], { type: 'boolean', value: true })
}

/** pg-mem stores any number in any integer column. The name of the constraint is PostgreSQL's error. */
function inRange(column: string, table: string, { type, min, max }: (typeof ranges)[string] & object): Node {
  const ref = { type: 'ref', name: column }
  const bound = (op: string, value: number) => ({ type: 'binary', op, left: ref, right: { type: 'integer', value } })
  const outside = { type: 'binary', op: 'OR', left: bound('<', min), right: bound('>', max) }
  return { type: 'check', constraintName: { name: `${type} out of range: ${table}.${column}` }, expr: unless(outside) }
}

const serials: Readonly<Record<string, string>> = {
  ...{ smallserial: 'smallint', serial2: 'smallint', serial: 'integer', serial4: 'integer' },
  ...{ bigserial: 'bigint', serial8: 'bigint' },
}
const smallint = { type: 'smallint', min: -32768, max: 32767 }
const integer = { type: 'integer', min: -2147483648, max: 2147483647 }
const ranges: Readonly<Record<string, { type: string; min: number; max: number }>> = {
  ...{ smallint, int2: smallint, integer, int: integer, int4: integer },
}

function uniqueIndex(node: Node, scope: Scope): Node {
  only(node, scope, 'unique', 'indexName', 'table', 'expressions', 'where', 'ifNotExists', 'using')
  if (node.using && nameOf(node.using) !== 'btree') scope.refuse(`a unique index of the kind ${nameOf(node.using)}`)
  const table = nameOf(node.table)
  const expressions = nodes(node.expressions).map((item) => {
    only(item, scope, 'expression', 'order', 'nulls')
    return item.expression as Node
  })
  const isPlain = expressions.every((item) => item.type === 'ref')
  const names = expressions.map((item) => (item.type === 'call' ? nameOf(item.function) : nameOf(item) || 'expr'))
  const name = nameOf(node.indexName) || scope.schema.constraintName(table, names, 'idx')
  scope.schema.addKey({ name, table, columns: isPlain ? names : null })
  return {
    ...{ ...node, using: undefined },
    indexName: { name },
    expressions: expressions.map((item) => ({ expression: value(item, scope) })),
    ...(isNode(node.where) ? { where: condition(node.where, scope) } : {}),
  }
}

function defaultValue(node: Node, scope: Scope): Node {
  return node.type === 'numeric' ? node : value(node, scope)
}

function columnType(node: Node, scope: Scope): Node {
  if (node.kind === 'array') return { ...node, arrayOf: columnType(node.arrayOf as Node, scope) }
  const name = nameOf(node)
  if (node.schema || node.doubleQuoted) return scope.refuse(`the type ${name}`)
  if (scope.schema.enums.has(name) || keptTypes.has(name)) {
    const sized = name === 'varchar' || name === 'character varying'
    return node.config && !sized ? scope.refuse(`the type ${name}(…)`) : node
  }
  if (name === 'numeric' || name === 'decimal') {
    scope.schema.hasNumeric = true
    return node
  }
  // pg-mem would take the word bigint for an integer.
  const renamed = renamedTypes[name]
  return renamed === undefined ? scope.refuse(`the type ${name}`) : { name: renamed }
}

/** Those whose values cannot be kept faithfully are refused where one is read or written, not here. */
const keptTypes: ReadonlySet<string> = new Set([
  ...['smallint', 'int2', 'integer', 'int', 'int4', 'int8', 'bool', 'boolean'],
  ...['text', 'varchar', 'character varying', 'uuid', 'json', 'jsonb', 'bytea', 'double precision', 'date', 'time'],
  ...['timestamp', 'timestamptz', 'timestamp with time zone', 'timestamp without time zone', 'interval', 'inet'],
])
const renamedTypes: Readonly<Record<string, string>> = { bigint: 'int8', float8: 'double precision' }

function named(node: Node, otherwise: () => string): string {
  return nameOf(node.constraintName) || otherwise()
}

/** The columns that an expression names. */
function references(tree: Tree): string[] {
  if (Array.isArray(tree)) return tree.flatMap(references)
  if (!isNode(tree)) return []
  return tree.type === 'ref' ? [nameOf(tree)] : Object.values(tree).flatMap(references)
}
