// The code blocks of a Markdown text. What follows the language in the opening line is for us: readers do not see it.

export interface CodeBlock {
  readonly language: string
  /** `file=main.ts` as `{ file: 'main.ts' }`; a bare word has the value ''. */
  readonly attributes: Readonly<Record<string, string>>
  readonly text: string
  /** Of the opening fence, 1-based. */
  readonly line: number
}

export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = []
  const lines = markdown.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const [, info] = /^```(.*)$/.exec(lines[at]!) ?? []
    if (info === undefined) continue
    const end = lines.indexOf('```', at + 1)
    if (end < 0) throw new Error(`line ${at + 1}: the code block is not closed`)
    const [language = '', ...words] = info.trim().split(/\s+/)
    const attributes = Object.fromEntries(
      words.map((word) => {
        const [name = '', value = ''] = word.split('=')
        return [name, value]
      }),
    )
    const text = lines.slice(at + 1, end).map((line) => `${line}\n`)
    blocks.push({ language, attributes, text: text.join(''), line: at + 1 })
    at = end
  }
  return blocks
}
