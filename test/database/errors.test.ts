// What a failing statement tells its caller, what it keeps to itself, and what it leaves behind.

import { inspect } from 'node:util'
import { type Client, DatabaseError } from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { queryError } from '../../lib/database/failures.ts'
import { plainConnection } from '../../lib/database/plainConnection.ts'
import {
  AcquireTimeoutError,
  CheckViolationError,
  CommitAbortedError,
  CommitUnknownError,
  ConnectionError,
  DatabaseClosedError,
  DecodeError,
  ForeignKeyViolationError,
  NoRowsError,
  NotCommittedError,
  NotNullViolationError,
  ParameterError,
  type PlainsqlError,
  PoolOverloadedError,
  QueryError,
  StatementSkippedError,
  TimeoutError,
  UniqueViolationError,
} from '../../lib/errors.ts'
import { exec } from '../../lib/query/kinds.ts'
import { backendPid, command, failure, openDatabase, rows } from './support.ts'

const test = suite('errors')
const { db, done } = await openDatabase(
  `create table person (id int primary key, email text not null, age int check (age > 0),
     boss int references person, constraint person_email_key unique (email));
   insert into person values (1, 'ada@example.com', 36, null);`,
  { pool: { max: 1 } },
)
test.after(done)

interface Person {
  readonly id: number
  readonly email: string | null
  readonly age: number
  readonly boss: number
}

const insert = exec<Person>({
  name: 'insertPerson',
  source: 'sql/people.sql:7',
  statement: 'insertPerson',
  sql: 'insert into person (id, email, age, boss) values ($1, $2, $3, $4)',
  params: ['id', 'email', 'age', 'boss'],
  write: (w, p) => {
    w.int4(p.id)
    w.nullable.text(p.email)
    w.int4(p.age)
    w.int4(p.boss)
  },
})
const eve: Person = { id: 2, email: 'eve@secret.example', age: 5, boss: 1 }

const violations: readonly [string, Partial<Person>, typeof QueryError, Partial<QueryError>][] = [
  ['unique', { email: 'ada@example.com' }, UniqueViolationError, { sqlState: '23505', constraint: 'person_email_key' }],
  ['foreign key', { boss: 99 }, ForeignKeyViolationError, { sqlState: '23503', constraint: 'person_boss_fkey' }],
  ['not null', { email: null }, NotNullViolationError, { sqlState: '23502', column: 'email' }],
  ['check', { age: -5 }, CheckViolationError, { sqlState: '23514', constraint: 'person_age_check' }],
]

for (const [name, change, type, expected] of violations) {
  test(`${name} violation has a class of its own, with the constraint and the place of the query`, async () => {
    const error = (await failure(insert(db, { ...eve, ...change }))) as QueryError
    assert.instance(error, type)
    for (const [key, value] of Object.entries(expected)) assert.is(error[key as keyof QueryError], value)
    assert.is(error.query, 'insertPerson')
    assert.is(error.source, 'sql/people.sql:7')
    assert.is(error.table, 'person')
    assert.match(error.message, ` [${expected.sqlState}] in insertPerson (sql/people.sql:7)`)
  })
}

const read = { name: 'getUser', source: 'sql/users.sql:1', readOnly: true } as const
const write = { name: 'createUser', source: 'sql/users.sql:9' }
const broken = new Error('the connection was lost')
const inState = (code: string): QueryError => queryError(write, Object.assign(new Error('refused'), { code }))

const retryables: readonly [string, PlainsqlError, boolean][] = [
  ['a serialization failure', inState('40001'), true],
  ['a deadlock', inState('40P01'), true],
  ['any other error of the server', inState('23505'), false],
  ['a write that was not sent', new ConnectionError(write, broken, 'not sent'), true],
  ['a write that was not answered', new ConnectionError(write, broken), false],
  ['… in a unit of work', new ConnectionError(write, broken).inUnit(), true],
  ['a read that was not answered', new ConnectionError(read, broken), true],
  ['a lost COMMIT', new CommitUnknownError(null, 'nobody asked', new ConnectionError(null, broken)), false],
  ['a lost COMMIT that was not committed', new NotCommittedError('7', broken), true],
  ['no connection in time', new AcquireTimeoutError(write, 5, { max: 1, waiting: 1, holders: [] }), true],
  ['an overload', new PoolOverloadedError(write, 5), true],
  ['what was skipped for a deadlock', new StatementSkippedError(write, inState('40P01')), true],
  ['what was skipped for a violation', new StatementSkippedError(write, inState('23505')), false],
  ['a swallowed loss of the connection', new CommitAbortedError(new ConnectionError(null, broken)), true],
  ['a swallowed error of somebody else', new CommitAbortedError(new Error('mine')), false],
  ['a timeout', new TimeoutError(write, 'cancelled', 200), false],
  ['a closed database', new DatabaseClosedError(write), false],
  ['a missing row', new NoRowsError(read), false],
]

for (const [name, error, expected] of retryables) {
  test(`${name} is ${expected ? '' : 'not '}retryable`, () => assert.is(error.retryable, expected))
}

test('a printed error holds no value; what the server said does, for those who ask', async () => {
  const secret = { ...eve, email: 'ada@example.com' }
  const error = (await failure(insert(db, secret))) as QueryError
  for (const text of [
    String(error),
    inspect(error),
    inspect(error, { depth: 9, showHidden: false }),
    error.stack ?? '',
  ]) {
    assert.not.match(text, 'ada@example.com')
  }
  assert.match(error.detail ?? '', 'ada@example.com')
  assert.match(error.serverError.message, 'person_email_key')
})

test('a data exception does not repeat the value that it is about', async () => {
  const parse = rows<{ n: string }, number>(
    'select $1::text::int',
    (r) => r.int4(0),
    (w, p) => w.text(p.n),
  )
  const error = (await failure(parse(db, { n: 'geheim' }))) as QueryError
  assert.is(error.sqlState, '22P02')
  assert.not.match(inspect(error), 'geheim')
})

test('the stack leads to the caller', async () => {
  async function signUpEve() {
    await insert(db, { ...eve, age: -1 })
  }
  async function controller() {
    return await signUpEve()
  }
  const error = (await failure(controller())) as Error
  assert.match(error.stack ?? '', /at async signUpEve \(.*errors\.test\.ts/)
  assert.match(error.stack ?? '', /at async controller \(.*errors\.test\.ts/)
})

test('a parameter that does not fit is named, and nothing is sent', async () => {
  const error = (await failure(insert(db, { ...eve, age: 1.5 }))) as ParameterError
  assert.instance(error, ParameterError)
  assert.is(error.parameter, 'age')
  assert.match(error.message, 'parameter "age" must be an integer, got a fraction or NaN in insertPerson')
  const missing = (await failure(insert(db, { id: 3, email: 'x' } as Person))) as ParameterError
  assert.is(missing.parameter, 'age')
  const nothing = (await failure(insert(db, undefined as unknown as Person))) as ParameterError
  assert.match(nothing.message, 'must come in an object, got undefined')
  assert.is(await command('select from person where id = 3')(db), 0)
})

test('a NULL where the types ruled it out, and a column that is not there', async () => {
  const nullInt = rows<void, number>('select null::int as age', (r) => r.int4(0))
  const error = (await failure(nullInt(db))) as DecodeError
  assert.instance(error, DecodeError)
  assert.is(error.column, 'age')
  assert.match(error.message, 'column "age" is NULL, but its type says that it cannot be')
  // The second run takes the prepared path, where the description of the columns is remembered.
  assert.is(((await failure(nullInt(db))) as DecodeError).column, 'age')

  const twoColumns = rows<void, number>('select 1 as a', (r) => r.int4(1))
  assert.match(((await failure(twoColumns(db))) as DecodeError).message, 'column "1" did not arrive')
})

test('a decoder that throws does not disturb the statements around it', async () => {
  const numbers = rows<void, number>('select n from generate_series(1, 5) n', (r) => r.int4(0))
  const picky = rows<void, number>('select n from generate_series(1, 5) n', (r) => {
    if (r.int4(0) === 3) throw new Error('three')
    return r.int4(0)
  })
  for (let run = 0; run < 3; run++) {
    const [before, thrown, after] = await Promise.allSettled([numbers(db), picky(db), numbers(db)])
    assert.equal(before, { status: 'fulfilled', value: [1, 2, 3, 4, 5] })
    assert.is((thrown as PromiseRejectedResult).reason.message, 'three')
    assert.equal(after, before)
  }
})

test('a failing statement leaves the same backend in the pool', async () => {
  const before = await backendPid(db)
  for (let run = 0; run < 20; run++) await failure(insert(db, { ...eve, age: -1 }))
  await failure(command('select 1 / 0')(db))
  await failure(command('no such statement')(db))
  assert.is(await backendPid(db), before)
})

const invalid = ['"secret"', '»secret«', '« secret »', '„secret“', '「secret」'].map((value) => `ungültig: ${value}`)
for (const message of invalid) {
  test(`values are left out in every language: ${message}`, () => {
    const error = queryError(write, Object.assign(new Error(message), { code: '22P02' }))
    assert.not.match(error.message, /secret/)
    assert.match(error.message, /^ungültig: .…. \[22P02\]/)
  })
}

test('so are those of a syntax that is not SQL: a tsquery has no position in the statement', async () => {
  const search = rows<{ words: string }, string>(
    'select to_tsquery($1)::text',
    (r) => r.text(0),
    (w, p) => w.text(p.words),
  )
  const error = (await failure(search(db, { words: 'my secret words' }))) as QueryError
  assert.is(error.sqlState, '42601')
  assert.not.match(error.message, /secret/)
  assert.match(String(await failure(command('selec 1')(db))), 'syntax error at or near "selec"')
})

for (const error of [
  new QueryError(write, new Error('no')),
  new ConnectionError(write, new Error('gone')),
  new AcquireTimeoutError(write, 5, { max: 1, waiting: 1, holders: [] }),
  new PoolOverloadedError(write, 5),
  new DatabaseClosedError(write),
  new NoRowsError(write),
  new ParameterError(write, 'id', 'is wrong'),
  new StatementSkippedError(write, new Error('no')),
  new TimeoutError(write, 'not sent', 5),
]) {
  test(`${error.name} says of which query it is, and where that stands`, () => {
    assert.equal([error.query, error.source], [write.name, write.source])
    assert.match(error.message, `${write.name} (${write.source})`)
  })
}

test('what became of a statement is printed with the error', () => {
  const printed = inspect(new ConnectionError(write, new Error('gone'), 'unknown').inUnit())
  assert.match(printed, "statement: 'rolled back'")
})

const translated: readonly [severity: string, code: string, expected: typeof QueryError | typeof ConnectionError][] = [
  ['FEHLER', '23505', UniqueViolationError],
  ['FEHLER', '57014', QueryError],
  ['FATALE', '57P01', ConnectionError],
  ['FATAL', '42501', ConnectionError],
]
for (const [severity, code, expected] of translated) {
  test(`a plain client’s error is told by its code, whatever the language: ${severity} ${code}`, async () => {
    const error = Object.assign(new DatabaseError('nein', 4, 'error'), { severity, code })
    const client = { query: () => Promise.reject(error) } as unknown as Client
    assert.instance(await failure(command('select 1')(plainConnection(client))), expected)
  })
}

test.run()
