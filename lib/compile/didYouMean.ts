// A misspelt word and the words that exist in, the one that was probably meant out.

/** The candidate nearest to `word`, or null if none is near: at most one edit per three letters, and at least one. */
export function didYouMean(word: string, candidates: Iterable<string>): string | null {
  let best: string | null = null
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    if (candidate === word || Math.abs(candidate.length - word.length) >= bestDistance) continue
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    // A one-letter word is one edit from every other one: that is no hint.
    if (distance < bestDistance && distance < Math.max(word.length, candidate.length)) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/**
 * Damerau-Levenshtein, restricted (optimal string alignment): how many insertions, deletions, replacements and swaps of
 * neighbours turn `a` into `b`.
 */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwap ? beforePrevious[j - 2]! + 1 : replaced
      current.push(Math.min(previous[j]! + 1, current[j - 1]! + 1, replaced, swapped))
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.length]!
}
