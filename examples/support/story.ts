// How the examples tell what they do: numbered steps, each with what it has to say and how long it took.

let steps = 0
let lines: string[] = []

/** Runs one step and prints it when it is done. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  steps += 1
  lines = []
  try {
    return await work()
  } finally {
    const ms = `${(performance.now() - started).toFixed(0)} ms`
    console.log(`${steps}. ${title.padEnd(65)} ${ms.padStart(8)}`)
    for (const line of lines) console.log(`   ${line}`)
    console.log()
  }
}

/** A line below the title of the step that is running. */
export function say(line: string): void {
  lines.push(line)
}
