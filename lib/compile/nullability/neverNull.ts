// The functions and operators that never give NULL for non-null arguments. That a function is STRICT says only that NULL
// gives NULL: `array_length('{}', 1)`, `lower('empty'::int4range)`, `'{}'::json -> 'a'` and `'infinity'::timestamp::time`
// are all strict, and NULL. So this is a list of those that may be trusted, not of those that may not; and
// test/compile/neverNull.test.ts calls each of them, every overload, on a real server with random and extreme values.

import type { Catalog, CatalogFunction } from '../catalog.ts'

/** Which arguments must be non-null: all, one of them, those at these positions, or (`[]`) none. */
export type NeverNullRule = 'all' | 'some' | readonly number[]

/** The rule for a function, or for the operator it stands behind; null if it may give NULL. */
export function neverNullRule(
  called: CatalogFunction,
  operator: string | null,
  catalog: Catalog,
): NeverNullRule | null {
  const home = called.extension ?? called.schema
  const signature = signatureOf(called, catalog)
  if (exceptions.has(signature)) return null
  if (operator === null) return functions.get(`${home}.${called.name}`) ?? null
  if (home === 'pg_catalog' && called.argumentTypes.some((oid) => isGeometric(oid, catalog))) return null
  // The only operators that are not strict work on arrays, and have a rule as functions.
  return functions.get(`${home}.${called.name}`) ?? (operators.has(`${home}.${operator}`) ? 'all' : null)
}

/** `name(type,type)`, as exceptions are written. */
export function signatureOf(called: CatalogFunction, catalog: Catalog): string {
  return `${called.name}(${called.argumentTypes.map((oid) => catalog.types.get(oid)?.name ?? '?').join(',')})`
}

/** Overloads that do give NULL, of functions and operators whose others do not. */
export const exceptions: ReadonlySet<string> = new Set([
  // Empty and unbounded ranges have no bounds.
  'lower(anyrange)',
  'lower(anymultirange)',
  'upper(anyrange)',
  'upper(anymultirange)',
  // No match.
  'substring(text,text)',
  'substring(text,text,text)',
  // The JSON null, since 18.
  'bool(jsonb)',
  'int2(jsonb)',
  'int4(jsonb)',
  'int8(jsonb)',
  'float4(jsonb)',
  'float8(jsonb)',
  'numeric(jsonb)',
  // Infinity has no time of day.
  'time(timestamp)',
  'time(timestamptz)',
  'timetz(timestamptz)',
  // A suppressed error.
  'jsonb_path_exists_opr(jsonb,jsonpath)',
  'jsonb_path_match_opr(jsonb,jsonpath)',
  // A setting that may be missing.
  'current_setting(text,bool)',
])

/** Lines, points and polygons have operators that find nothing; no query here needed them to be told apart. */
export const geometricTypes: ReadonlySet<string> = new Set([
  'point',
  'line',
  'lseg',
  'box',
  'path',
  'polygon',
  'circle',
])

function isGeometric(oid: number, catalog: Catalog): boolean {
  const type = catalog.types.get(oid)
  return type?.schema === 'pg_catalog' && geometricTypes.has(type.name)
}

const functions = new Map<string, NeverNullRule>()
const operators = new Set<string>()

/** What the lists below hold, for the test that verifies them. */
export const neverNull: {
  readonly functions: ReadonlyMap<string, NeverNullRule>
  readonly operators: ReadonlySet<string>
} = { functions, operators }

function trust(home: string, rule: NeverNullRule, names: string): void {
  for (const name of names.trim().split(/\s+/)) functions.set(`${home}.${name}`, rule)
}

function trustOperators(home: string, names: string): void {
  for (const name of names.trim().split(/\s+/)) operators.add(`${home}.${name}`)
}

// Comparison, arithmetic, text, bits, ranges, arrays, JSON, networks and text search.
trustOperators(
  'pg_catalog',
  `= <> < > <= >= *= *<> *< *> *<= *>= ~<~ ~<=~ ~>~ ~>=~ + - * / % ^ |/ ||/ @ & | # ~ << >>
   || ^@ ~~ !~~ ~~* !~~* ~* !~ !~* @> <@ && -|- &< &> <<= >>= ? ?| ?& #- @@ @@@ !! <->`,
)

// Mathematics.
trust(
  'pg_catalog',
  'all',
  `abs acos acosd acosh asin asind asinh atan atan2 atan2d atand atanh cbrt ceil ceiling cos cosd cosh cot cotd degrees
   div erf erfc exp factorial floor gamma gcd lcm lgamma ln log log10 mod pi pow power radians random random_normal round
   setseed sign sin sind sinh sqrt tan tand tanh trim_scale trunc width_bucket`,
)

// Text and bytes.
trust(
  'pg_catalog',
  'all',
  `ascii bit_count bit_length btrim casefold char_length character_length chr convert convert_from convert_to crc32 crc32c
   decode encode get_bit get_byte initcap is_normalized left length like like_escape lower lpad ltrim md5 normalize notlike
   octet_length overlay parse_ident pg_client_encoding position quote_ident quote_literal regexp_count regexp_instr
   regexp_like regexp_replace regexp_split_to_array repeat replace reverse right rpad rtrim set_bit set_byte sha224 sha256
   sha384 sha512 similar_to_escape split_part starts_with strpos substr substring textlen to_bin to_hex to_oct
   translate unicode_assigned unistr upper textanycat anytextcat textcat`,
)
trust('pg_catalog', [], 'concat quote_nullable')
trust('pg_catalog', [0], 'concat_ws format string_to_array similar_escape')

// Dates and times. `extract` and `to_char` of infinity are NULL: see `calls.ts`.
trust(
  'pg_catalog',
  'all',
  `age clock_timestamp date_add date_bin date_subtract date_trunc isfinite justify_days justify_hours justify_interval
   make_date make_interval make_time make_timestamp make_timestamptz now overlaps statement_timestamp timeofday timezone
   to_date to_timestamp transaction_timestamp`,
)

// Casts that are functions, and those to a length.
trust(
  'pg_catalog',
  'all',
  `bit bool bpchar bytea char cidr date float4 float8 int2 int4 int8 interval json jsonb macaddr macaddr8 money name
   numeric oid regclass text time timestamp timestamptz timetz varbit varchar xml int4multirange int8multirange
   nummultirange datemultirange tsmultirange tstzmultirange multirange`,
)

// Arrays.
trust('pg_catalog', 'all', 'array_reverse array_sample array_shuffle array_sort array_to_json cardinality trim_array')
trust('pg_catalog', [], 'array_append array_prepend array_fill')
trust('pg_catalog', 'some', 'array_cat')
trust('pg_catalog', [0], 'array_positions array_remove array_replace')
trust('pg_catalog', [0, 1], 'array_to_string')

// Ranges: a missing bound is an unbounded side.
trust('pg_catalog', [], 'int4range int8range numrange daterange tsrange tstzrange')
trust('pg_catalog', 'all', 'isempty lower_inc lower_inf upper_inc upper_inf range_merge')

// JSON.
trust(
  'pg_catalog',
  'all',
  `json_array_length json_object json_strip_nulls json_typeof jsonb_array_length jsonb_insert jsonb_object
   jsonb_path_query_array jsonb_path_query_array_tz jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_typeof row_to_json
   to_json to_jsonb`,
)
trust('pg_catalog', [], 'json_build_array json_build_object jsonb_build_array jsonb_build_object')

// Text search.
trust(
  'pg_catalog',
  'all',
  `array_to_tsvector get_current_ts_config json_to_tsvector jsonb_to_tsvector numnode phraseto_tsquery plainto_tsquery
   querytree setweight strip to_tsquery to_tsvector ts_delete ts_headline ts_rank ts_rank_cd ts_rewrite tsquery_phrase
   tsvector_to_array websearch_to_tsquery`,
)

// Networks, UUIDs, enums, sequences, XML.
trust(
  'pg_catalog',
  'all',
  `abbrev broadcast family host hostmask inet_merge inet_same_family macaddr8_set7bit masklen netmask network set_masklen
   gen_random_uuid uuidv4 uuidv7 nextval currval lastval setval xml_is_well_formed xml_is_well_formed_content
   xml_is_well_formed_document xmlcomment xmltext`,
)
trust('pg_catalog', [], 'enum_first enum_last enum_range')

// The session and the server.
trust(
  'pg_catalog',
  'all',
  `current_database current_setting current_user format_type getdatabaseencoding getpgusername pg_backend_pid
   pg_conf_load_time pg_current_snapshot pg_current_xact_id pg_get_userbyid pg_input_is_valid pg_is_in_recovery
   pg_postmaster_start_time pg_size_bytes pg_size_pretty session_user txid_current txid_current_snapshot version
   pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared
   pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared
   pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared pg_sleep pg_sleep_for pg_sleep_until`,
)
trust('pg_catalog', [], 'num_nonnulls num_nulls pg_notify pg_typeof set_config')

// Extensions, by the extension that a function belongs to.
trustOperators('citext', '= <> < > <= >= ~<~ ~<=~ ~>~ ~>=~ ~~ !~~ ~~* !~~* ~ !~ ~* !~*')
trust('citext', 'all', 'citext regexp_replace regexp_split_to_array replace strpos translate')
trustOperators('hstore', '= <> ? ?| ?& @> <@ || - %% %#')
trust('hstore', 'all', 'akeys avals skeys svals hstore_to_array hstore_to_json hstore_to_jsonb hstore_to_matrix exist')
trust(
  'pgcrypto',
  'all',
  `armor crypt dearmor decrypt digest encrypt gen_random_bytes gen_random_uuid gen_salt hmac pgp_sym_encrypt
   pgp_sym_encrypt_bytea pgp_sym_decrypt pgp_sym_decrypt_bytea`,
)
trust(
  'uuid-ossp',
  'all',
  `uuid_nil uuid_ns_dns uuid_ns_oid uuid_ns_url uuid_ns_x500 uuid_generate_v1 uuid_generate_v1mc uuid_generate_v3
   uuid_generate_v4 uuid_generate_v5`,
)
trustOperators('pg_trgm', '% <% %> <<% %>> <-> <<-> <->> <<<-> <->>>')
trust('pg_trgm', 'all', 'similarity show_limit show_trgm strict_word_similarity word_similarity')
trust('unaccent', 'all', 'unaccent')
trust(
  'fuzzystrmatch',
  'all',
  'difference dmetaphone dmetaphone_alt levenshtein levenshtein_less_equal metaphone soundex text_soundex',
)
trustOperators('ltree', '= <> < > <= >= @> <@ ~ ? @ || ^@> ^<@ ^~ ^? ^@')
trust('ltree', 'all', 'index nlevel subltree subpath ltree2text text2ltree')
trustOperators('intarray', '&& @> <@ @@ ~~ # + - | &')
trust('intarray', 'all', 'icount sort sort_asc sort_desc uniq idx')
