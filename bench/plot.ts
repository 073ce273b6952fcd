// results.svg: per work a bar per system, as long as its throughput in relation to the best of that work.

import type { Row } from './run.ts'
import { works } from './works.ts'

const width = 860
const left = 110
const barHeight = 13
const full = width - left - 200

export function plot(rows: readonly Row[]): string {
  let y = 24
  const parts: string[] = []
  for (const { name, title } of works) {
    const measured = rows.filter((row) => row.work === name).sort((a, b) => b.opsPerSecond - a.opsPerSecond)
    const best = measured[0]?.opsPerSecond ?? 1
    if (measured.length === 0) continue
    parts.push(`<text x="12" y="${y}" class="title">${title}</text>`)
    y += 10
    for (const { system, opsPerSecond, cpuMicrosPerOp } of measured) {
      const length = Math.max(1, Math.round((opsPerSecond / best) * full))
      const cpu = Math.round(cpuMicrosPerOp).toLocaleString('en')
      parts.push(
        `<text x="${left - 8}" y="${y + 10}" text-anchor="end">${system}</text>`,
        `<rect x="${left}" y="${y}" width="${length}" height="${barHeight - 3}" class="${system.startsWith('plainsql') ? 'ours' : 'peer'}"/>`,
        `<text x="${left + length + 6}" y="${y + 10}">${opsPerSecond.toLocaleString('en')}/s, ${cpu} µs CPU</text>`,
      )
      y += barHeight
    }
    y += 24
  }
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
