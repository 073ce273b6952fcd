// The members of a value made of others: NULL where it may be, and errors that say which member they are about.

import type { Codec } from './scalars.ts'
import { quote } from './scanner.ts'

// Without the closure that `inside` needs: arrays of ten thousand members come this way.

/** @throws RangeError if it is NULL and must not be; whatever the codec throws */
export function decodeMember<Out>(codec: Codec<Out, never>, text: string | null, place: number | string): Out {
  try {
    return text === null ? nullMember(codec) : codec.decode(text)
  } catch (error) {
    throw named(place, error)
  }
}

/** NULL as a member. @throws RangeError if it must not be */
export function nullMember<Out>(codec: Codec<Out, never>): Out {
  if (codec.allowsNull) return null as Out
  throw new RangeError('is NULL, which its type rules out')
}

/** As `quote` writes it, or null for NULL. @throws RangeError or TypeError that says which member it is about */
export function encodeMember<In>(codec: Codec<unknown, In>, value: In, place: number | string): string | null {
  if (value === null && codec.allowsNull) return null
  try {
    return quote(codec.encode(value))
  } catch (error) {
    throw named(place, error)
  }
}

/** Runs `work`; an error of its says which member it is about. */
export function inside<T>(place: number | string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw named(place, error)
  }
}

/** The error, whose message goes on from the name of a column, with the member in front. */
export function named(place: number | string, error: unknown): unknown {
  if (error instanceof Error)
    error.message = `${typeof place === 'number' ? `element [${place}]` : `field "${place}"`} ${error.message}`
  return error
}
