// Reads PostgreSQL's node trees: text such as `{VAR :varno 1 :varnullingrels (b 3)}` in, plain objects out.
// The grammar is PostgreSQL's `outfuncs.c` (what it writes) and `read.c` (how it reads it back). Trees come from two
// places: a notice's detail (`debug_print_parse`, wrapped at 78 bytes) and `pg_node_tree` columns (not wrapped).
// Below the parser are typed accessors, so that the analysis names a field once and never casts.

import type { TreeNode, TreeValue } from './model.ts'

/**
 * Parses one node tree of any depth, without recursion.
 *
 * Nodes become objects, `( … )` arrays, `(i 1 2)`, `(o 1 2)` and `(b 1 2)` arrays of texts without their letter, `<>`
 * null, everything else text. A constant's bytes stay one text: `4 [ 1 0 0 0 ]`. Throws `TypeError` on anything else.
 */
export function parseTree(text: string): TreeValue {
  const scanner: Scanner = { text, at: 0 }
  const open: Frame[] = []
  for (;;) {
    let value: TreeValue
    const token = nextToken(scanner)
    const frame = open.at(-1)
    if (token === '{') {
      open.push({ node: { tag: nextToken(scanner) }, field: null })
      continue
    }
    if (token === '(') {
      open.push({ list: [], first: true })
      continue
    }
    if (token === '}' && frame && 'node' in frame) {
      open.pop()
      value = frame.node
    } else if (token === ')' && frame && 'list' in frame) {
      open.pop()
      value = frame.list
    } else if (token === '') {
      throw new TypeError(`the node tree ends too early, after ${text.length} characters: ${text.slice(-40)}`)
    } else if (frame && 'node' in frame && frame.field === null) {
      // Between fields stands `:name`. Raw nodes such as `{A_EXPR IN :name …}` carry bare words: their own detail.
      if (token.startsWith(':')) frame.field = token.slice(1)
      continue
    } else if (frame && 'list' in frame && frame.first && /^[iobx]$/.test(token)) {
      frame.first = false
      continue
    } else {
      value = atom(scanner, token)
    }

    const parent = open.at(-1)
    if (!parent) return value
    if ('list' in parent) {
      parent.list.push(value)
      parent.first = false
    } else if (parent.field !== null) {
      parent.node[parent.field] = value
      parent.field = null
    }
  }
}

/**
 * Undoes the line wrapping of a notice's detail (`format_node_dump` in `print.c`): a line break stands for a space,
 * unless 78 bytes went by without one, where the server cuts through the token.
 */
export function unwrapTree(detail: string): string {
  let joined = ''
  let start = 0
  for (;;) {
    const end = detail.indexOf('\n', start)
    if (end < 0) return joined + detail.slice(start)
    const line = detail.slice(start, end)
    const cut = line.indexOf(' ', 1) < 0 && Buffer.byteLength(line) >= 78
    joined += cut ? line : `${line} `
    start = end + 1
  }
}

interface NodeFrame {
  readonly node: { tag: string; [field: string]: TreeValue }
  field: string | null
}
interface ListFrame {
  readonly list: TreeValue[]
  first: boolean
}
type Frame = NodeFrame | ListFrame

interface Scanner {
  readonly text: string
  at: number
}

// Only these three are blanks to `pg_strtok`; a backslash takes the next character as it is.
const TOKEN = /[ \t\n]*([{}()]|(?:[^ \t\n\\{}()]|\\.)[^ \t\n\\{}()]*(?:\\.[^ \t\n\\{}()]*)*)/sy

/** The next token as written, escapes included: a bracket or a run of characters; empty at the end. */
function nextToken(scanner: Scanner): string {
  TOKEN.lastIndex = scanner.at
  const token = TOKEN.exec(scanner.text)?.[1]
  if (token === undefined) return ''
  scanner.at = TOKEN.lastIndex
  return token
}

function atom(scanner: Scanner, token: string): string | null {
  if (token === '<>') return null
  const { text, at } = scanner
  if (text.startsWith('[', at + 1) && /^\d+$/.test(token)) {
    const end = text.indexOf(']', at) + 1
    scanner.at = end
    return text.slice(at - token.length, end)
  }
  // Strings in lists stand in quotes, and blanks in them are escaped; a plain token that is empty is written `""`.
  const inner = token.startsWith('"') && token.endsWith('"') && token.length > 1 ? token.slice(1, -1) : token
  return inner.includes('\\') ? inner.replace(/\\(.)/gs, '$1') : inner
}

/** True for a node (not a list, text or null), optionally of one tag. */
export function isNode(value: TreeValue | undefined, tag?: string): value is TreeNode {
  return value != null && typeof value === 'object' && 'tag' in value && (tag === undefined || value.tag === tag)
}

/** The node in a field, or null where the field is `<>` or does not exist in this server's version. */
export function node(parent: TreeNode, field: string): TreeNode | null {
  const value = parent[field]
  return isNode(value) ? value : null
}

/** The nodes of a list field; `<>` and a missing field are the empty list. */
export function nodes(parent: TreeNode, field: string): readonly TreeNode[] {
  return list(parent, field).filter((value) => isNode(value))
}

/** The values of a list field; `<>` and a missing field are the empty list. */
export function list(parent: TreeNode, field: string): readonly TreeValue[] {
  const value = parent[field]
  return Array.isArray(value) ? value : []
}

/** The numbers of an integer list, OID list or bitmapset; `<>` and a missing field are the empty list. */
export function ints(parent: TreeNode, field: string): readonly number[] {
  return list(parent, field).map(Number)
}

/** A number field; 0 where it does not exist in this server's version. */
export function int(parent: TreeNode, field: string): number {
  const value = parent[field]
  return typeof value === 'string' ? Number(value) : 0
}

/** A boolean field; false where it does not exist in this server's version. */
export function bool(parent: TreeNode, field: string): boolean {
  return parent[field] === 'true'
}

/** A text field; null for `<>` and where it does not exist. */
export function text(parent: TreeNode, field: string): string | null {
  const value = parent[field]
  return typeof value === 'string' ? value : null
}
