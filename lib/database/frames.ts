// Bytes as the socket delivers them → messages: cut anywhere, and glued together again.
// Source: PostgreSQL's protocol, "Messaging Overview": a code of one byte, a length that counts itself, the body.

const headerLength = 5

/** @returns whether to go on; after false, what is left of the chunk is dropped */
export type OnMessage = (code: number, bytes: Buffer, at: number, end: number) => boolean

export class Frames {
  readonly #onMessage: OnMessage
  /** The beginning of a message whose end has not come yet, and how many bytes it needs to be looked at again. */
  #parts: Buffer[] = []
  #length = 0
  #needed = headerLength

  /** @param onMessage gets the message's code and its body, `bytes[at…end)`, which it must not keep */
  constructor(onMessage: OnMessage) {
    this.#onMessage = onMessage
  }

  feed(chunk: Buffer): void {
    let bytes = chunk
    if (this.#length > 0) {
      // Not glued before it is enough: a message of many chunks would be copied again with each.
      this.#parts.push(chunk)
      this.#length += chunk.length
      if (this.#length < this.#needed) return
      bytes = Buffer.concat(this.#parts, this.#length)
    }
    let at = 0
    this.#needed = headerLength
    while (at + headerLength <= bytes.length) {
      const end = at + 1 + bytes.readInt32BE(at + 1)
      if (end > bytes.length) {
        this.#needed = end - at
        break
      }
      if (!this.#onMessage(bytes[at] as number, bytes, at + headerLength, end)) return
      // A length that does not even count itself comes from something that is no PostgreSQL; its code says so.
      at = Math.max(end, at + headerLength)
    }
    this.#length = bytes.length - at
    this.#parts = this.#length > 0 ? [bytes.subarray(at)] : []
  }
}
