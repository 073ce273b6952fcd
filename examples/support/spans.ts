// Stands in for OpenTelemetry where there is none: spans that print themselves.

import type { Attributes, OpenTelemetry, Span } from '../opentelemetry.ts'

/** @param print gets the lines of a span when it ends: its name behind those of the spans around it, and some attributes */
export function printingApi(print: (line: string) => void): OpenTelemetry<string, Span> {
  const names = new WeakMap<Span, string>()
  return {
    trace: {
      getTracer: () => ({
        startSpan(name, { attributes }, around) {
          const all: Attributes = { ...attributes }
          const span: Span = {
            setAttributes: (more) => Object.assign(all, more),
            setStatus: () => {},
            addEvent: () => {},
            end() {
              print(`${around}${name}`)
              for (const key of ['db.query.summary', 'code.file.path', 'db.response.returned_rows', 'error.type']) {
                if (all[key] !== undefined) print(`    ${key}: ${all[key]}`)
              }
            },
          }
          names.set(span, name)
          return span
        },
      }),
      setSpan: (around, span) => `${around}${names.get(span)} > `,
      getActiveSpan: () => undefined,
    },
    metrics: { getMeter: () => ({ createHistogram: () => ({ record: () => {} }) }) },
    context: { active: () => '' },
    SpanKind: { INTERNAL: 0, CLIENT: 2 },
    SpanStatusCode: { ERROR: 2 },
  }
}
