// The values of constants in a tree, as far as shapes need them: a node in, its text or its JSON out.

import type { TreeNode } from '../model.ts'
import { bool, int, isNode, node, text } from '../tree.ts'
import { oids } from './expressionType.ts'

/** The text of a constant of type text, or of a literal that no type was chosen for (`unknown`); null for all others. */
export function constantText(expression: TreeNode | undefined): string | null {
  let constant = expression
  while (isNode(constant, 'RELABELTYPE')) constant = node(constant, 'arg') ?? undefined
  if (!isNode(constant, 'CONST') || bool(constant, 'constisnull')) return null
  const bytes = bytesOf(constant)
  switch (int(constant, 'consttype')) {
    case oids.unknown:
      // A C string: a zero ends it.
      return Buffer.from(bytes.slice(0, -1)).toString('utf8')
    case oids.text:
    case oids.json:
      return isUncompressed(bytes) ? Buffer.from(bytes.slice(4)).toString('utf8') : null
    default:
      return null
  }
}

export function isNullConstant(expression: TreeNode): boolean {
  return isNode(expression, 'CONST') && bool(expression, 'constisnull')
}

/** `[]` or `{}` if a constant of type json or jsonb is that; null for every other document. */
export function emptyDocument(constant: TreeNode): '[]' | '{}' | null {
  if (int(constant, 'consttype') === oids.jsonb) {
    // JB_FARRAY and JB_FOBJECT (`utils/jsonb.h`) with a count of 0.
    const [header] =
      Buffer.from(bytesOf(constant).slice(4))
        .toString('hex')
        .match(/^.{8}$/) ?? []
    return header === '00000040' ? '[]' : header === '00000020' ? '{}' : null
  }
  const source = constantText(constant)?.replace(/\s/g, '')
  return source === '[]' || source === '{}' ? source : null
}

/** Whether an array constant has at most one dimension; its header is length, dimensions, … (`utils/array.h`). */
export function isFlatArray(constant: TreeNode): boolean {
  const [dimensions = 0] = bytesOf(constant).slice(4)
  return dimensions <= 1
}

/** `4 [ 1 0 0 0 ]` → the four bytes, which the server writes as signed numbers. */
function bytesOf(constant: TreeNode): number[] {
  const value = text(constant, 'constvalue') ?? ''
  return value
    .slice(value.indexOf('[') + 1, value.indexOf(']'))
    .split(' ')
    .filter((part) => part !== '')
    .map((part) => Number(part) & 0xff)
}

/** A variable-length value has four bytes of length in front; the last two bits of the first byte say otherwise. */
function isUncompressed(bytes: readonly number[]): boolean {
  return ((bytes[0] ?? 1) & 3) === 0
}
