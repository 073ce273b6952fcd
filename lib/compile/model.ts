// The stages a query passes through, from text to generated code, as data:
//   SqlFile → ParsedQuery → DescribedQuery → AnalyzedQuery → the text of a `.sql.ts` file.
// Each stage only adds to the one before, so a diagnostic at any stage can still point into the `.sql` file.

/** What a query promises about the number of rows; see `docs/sql-files.md`. */
export type Kind = 'one' | 'opt' | 'many' | 'value' | 'values' | 'exec'

/** A half-open range of UTF-16 offsets into the text of a `.sql` file. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A `.sql` file as it was read. `path` is relative to the project's root, with `/`. */
export interface SqlFile {
  readonly path: string
  readonly text: string
}

/** A named parameter: `:name`, `:name?` (accepts null) or `:name!` (does not). */
export interface ParsedParam {
  /** The name as written in the SQL, without `:` and mark. */
  readonly name: string
  /** 1-based: the `n` of `$n`. Parameters are numbered by first appearance. */
  readonly index: number
  /** The author's word on nullability, if any occurrence carries a mark. */
  readonly mark: '?' | '!' | null
  /** Every occurrence in the file, `:` and mark included. */
  readonly spans: readonly Span[]
}

/** One query of a `.sql` file, before any database has seen it. */
export interface ParsedQuery {
  readonly file: SqlFile
  readonly name: string
  readonly kind: Kind
  /** The comment lines below the header, without `--`, joined by newlines; empty if there are none. */
  readonly docs: string
  /** Directives of the header line that are not the kind, such as `unproven`. */
  readonly flags: readonly string[]
  /** Where the name stands in the header. */
  readonly nameSpan: Span
  /** Where the kind stands in the header, `:` included. */
  readonly kindSpan: Span
  /** The statement in the file: first token to last, without the closing semicolon. */
  readonly bodySpan: Span
  /** The text that PostgreSQL gets: the body with `$n` for every parameter. */
  readonly sql: string
  readonly params: readonly ParsedParam[]
  /** Offset in `sql` (UTF-16) → offset in the file. Inside a parameter it answers the parameter's start. */
  readonly toFile: (sqlOffset: number) => number
}

/** A column as Describe reports it. */
export interface DescribedColumn {
  readonly name: string
  readonly typeOid: number
  /** −1 if the type has no modifier. */
  readonly typeModifier: number
  /** 0 unless the column is a plain column of a relation. */
  readonly tableOid: number
  readonly columnNumber: number
}

/** What PostgreSQL says of a query without running it. */
export interface DescribedQuery extends ParsedQuery {
  readonly paramTypeOids: readonly number[]
  readonly columns: readonly DescribedColumn[]
  /** The analyzed Query node of the statement (`debug_print_parse`). Null only for utility statements. */
  readonly tree: TreeNode | null
}

/** A node of PostgreSQL's node tree: `{QUERY :commandType 1 …}` becomes `{ tag: 'QUERY', commandType: '1', … }`. */
export interface TreeNode {
  readonly tag: string
  readonly [field: string]: TreeValue
}

/** A field's value: a node, a list, an atom as text, or null for `<>`. */
export type TreeValue = TreeNode | readonly TreeValue[] | string | null

/** The verdict on one column or expression, with its reason in words for the generated file and for diagnostics. */
export interface Nullability {
  readonly nullable: boolean
  /** When it is null, in words that follow "Null if": "the left join finds no row of p"; or why it never is. */
  readonly reason: string
}

/** Where a column's values come from when they pass through unchanged. Follows subqueries, CTEs and views. */
export interface Origin {
  readonly schema: string
  readonly table: string
  readonly column: string
}

export type Severity = 'error' | 'warning'

/** A place in a file with a word about it; the first label of a diagnostic is the primary one. */
export interface Label {
  readonly file: SqlFile
  readonly span: Span
  /** Printed behind the carets; may be empty. */
  readonly text: string
}

/** Something to tell the author of a `.sql` file. Data first: `lib/compile/diagnostics.ts` makes the text. */
export interface Diagnostic {
  readonly severity: Severity
  /** A SQLSTATE for PostgreSQL's own errors, else one of ours, such as `unknown-kind`. */
  readonly code: string
  readonly title: string
  readonly labels: readonly Label[]
  /** The query it concerns, if it is inside one. */
  readonly query: string | null
  readonly hints: readonly string[]
}
