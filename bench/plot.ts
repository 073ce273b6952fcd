// results.svg: per work a bar per system, as long as its throughput in relation to the best of that work; and the sizes.

import type { Row } from './run.ts'
import type { Size } from './size.ts'
import { works } from './works.ts'

const width = 860
const left = 110
const barHeight = 13
const full = width - left - 200

interface Bar {
  readonly system: string
  readonly value: number
  readonly label: string
}

export function plot(rows: readonly Row[], sizes: readonly Size[]): string {
  let y = 24
  const parts: string[] = []
  const chart = (title: string, bars: readonly Bar[]): void => {
    if (bars.length === 0) return
    const longest = Math.max(...bars.map((bar) => bar.value))
    parts.push(`<text x="12" y="${y}" class="title">${title}</text>`)
    y += 10
    for (const { system, value, label } of bars) {
      const length = Math.max(1, Math.round((value / longest) * full))
      parts.push(
        `<text x="${left - 8}" y="${y + 10}" text-anchor="end">${system}</text>`,
        `<rect x="${left}" y="${y}" width="${length}" height="${barHeight - 3}" class="${system.startsWith('plainsql') ? 'ours' : 'peer'}"/>`,
        `<text x="${left + length + 6}" y="${y + 10}">${label}</text>`,
      )
      y += barHeight
    }
    y += 24
  }
  for (const { name, title } of works) {
    const measured = rows.filter((row) => row.work === name).sort((a, b) => b.opsPerSecond - a.opsPerSecond)
    const bars = measured.map(({ system, opsPerSecond, cpuMicrosPerOp }) => {
      const cpu = Math.round(cpuMicrosPerOp).toLocaleString('en')
      return { system, value: opsPerSecond, label: `${opsPerSecond.toLocaleString('en')}/s, ${cpu} µs CPU` }
    })
    chart(title, bars)
  }
  const bundles = [...sizes].sort((a, b) => a.gzippedKb - b.gzippedKb)
  chart(
    'bundled, minified and gzipped: shorter is better',
    bundles.map(({ system, gzippedKb }) => ({ system, value: gzippedKb, label: `${gzippedKb} KB` })),
  )
  const imports = [...sizes].sort((a, b) => a.importMs - b.importMs)
  chart(
    'import, unbundled: shorter is better',
    imports.map(({ system, importMs }) => ({ system, value: importMs, label: `${importMs} ms` })),
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}">
<style>
  text { font: 11px system-ui, sans-serif; fill: #333 }
  .title { font-weight: 600 }
  .ours { fill: #2563eb }
  .peer { fill: #cbd5e1 }
</style>
<rect width="100%" height="100%" fill="#fff"/>
${parts.join('\n')}
</svg>
`
}
