// Random SQL text for property tests: tokens of every form, with `:name` parameters between them whose places are known.
// It is lexically sound, not grammatical.

import fc from 'fast-check'

export interface SqlWithParams {
  readonly text: string
  /** The parameters that were planted, in order. */
  readonly params: readonly { readonly name: string; readonly mark: '?' | '!' | null; readonly start: number }[]
}

/** What looks like a parameter, a quote or a comment, to stand inside of quotes. */
const noise = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ':trap',
        ' :trap ',
        '::int',
        ':=',
        '--',
        '-- :trap\n',
        '$1',
        '$$',
        '$t$',
        '\n',
        '\r\n',
        ';',
        '?',
        'ü',
        '😀',
        '\t',
        ' ',
      ),
      fc.string({ maxLength: 3 }),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(''))

const doubled = (quote: string): fc.Arbitrary<string> =>
  fc
    .tuple(noise, fc.boolean())
    .map(([text, more]) => quote + text.replaceAll(quote, quote + quote) + (more ? quote + quote : '') + quote)

const standardString = doubled("'")

const escapeString = fc
  .array(
    fc.oneof(
      noise.map((text) => text.replace(/[\\']/g, '\\$&')),
      fc.constantFrom("''", "\\'", '\\\\', '\\n', '\\:trap'),
    ),
    { maxLength: 3 },
  )
  .map((parts) => `E'${parts.join('')}'`)

/** `$tag$…$tag$` around text that does not hold the tag, nor completes one at its end. */
const dollarString = fc.tuple(fc.constantFrom('$$', '$t$', '$_x1$', '$ü$'), noise).map(([tag, text]) => {
  const inside = text.replaceAll('$', '§')
  const trap = tag === '$$' ? '' : "$$ ' :trap $other$"
  return `${tag}${inside}${trap}${tag}`
})

const blockComment: fc.Arbitrary<string> = fc.letrec<{ comment: string }>((tie) => ({
  comment: fc
    .tuple(noise, fc.option(tie('comment'), { nil: '', depthSize: 'small' }), noise)
    .map(([before, inner, after]) => `/* ${before.replace(/[*/]/g, '')} ${inner} ${after.replace(/[*/]/g, '')} */`),
})).comment

const continuation = fc
  .tuple(
    fc.oneof(standardString, escapeString),
    fc.constantFrom('\n', ' \r\n\t', ' -- :trap \' "\n  ', "\n-- :trap\n-- it's\n"),
  )
  .map(([first, gap]) => (first.startsWith('E') ? `${first}${gap}':trap \\' :trap'` : `${first}${gap}':trap \\'`))

const other = fc.oneof(
  standardString,
  standardString.map((text) => `U&${text}`),
  standardString.map((text) => `n${text}`),
  fc.constantFrom("B'01'", "x'fF'", "b':trap'"),
  escapeString,
  dollarString,
  blockComment,
  continuation,
  doubled('"'),
  doubled('"').map((text) => `u&${text}`),
  noise.map((text) => `--${text.replace(/[\n\r]/g, '')}\n`),
  fc.constantFrom('select', 'a$1', 'größe', '_x', 'e', 'U', 'x.y', '(', ')', '[1]', '[1:2]', '[a : b]', ','),
  fc.constantFrom('1', '1.5', '.5', '1e10', '1_000', '0xFF', '1.', '1..2', '1e'),
  fc.constantFrom(
    '::',
    ':=',
    '=',
    '<>',
    '!=',
    '!~~*',
    '?',
    '?|',
    '?&',
    '@>',
    '->>',
    '||',
    '*',
    '-',
    '+',
    '/',
    '=-',
    '@-',
  ),
)

/** Keeps tokens apart; never white space alone, because over a line break one string goes on with the next. */
const separator = fc.constantFrom(' , ', '\n,\n', ' /**/\n', '\r\n/* :trap */\t')

const param = fc.record({
  name: fc.constantFrom('a', 'user_id', 'userId', 'id2', 'ü', '_x', 'select', 'E', 'a1_b2'),
  mark: fc.constantFrom(null, '?' as const, '!' as const),
  // What may stand directly behind a parameter without being part of it.
  behind: fc.constantFrom('', ')', ',', '::text', '[1]', '--x\n', '/* :trap */'),
})

export const sqlWithParams: fc.Arbitrary<SqlWithParams> = fc
  .array(fc.tuple(fc.oneof({ arbitrary: other, weight: 3 }, { arbitrary: param, weight: 1 }), separator), {
    minLength: 1,
    maxLength: 20,
  })
  .map((pieces) => {
    let text = ''
    const params: { name: string; mark: '?' | '!' | null; start: number }[] = []
    for (const [piece, gap] of pieces) {
      if (typeof piece === 'string') text += piece
      else {
        params.push({ name: piece.name, mark: piece.mark, start: text.length })
        text += `:${piece.name}${piece.mark ?? ''}${piece.behind}`
      }
      text += gap
    }
    return { text, params }
  })
