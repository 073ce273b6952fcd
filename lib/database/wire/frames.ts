// Bytes as the socket delivers them → messages: cut anywhere, and put together again in one block that is read into over
// and over. Source: PostgreSQL's protocol, "Messaging Overview": a code of one byte, a length that counts itself, the body.

const headerLength = 5
/** As much as node reads at once. */
const blockSize = 64 * 1024

/** @returns whether to go on; after false, what is left is dropped */
export type OnMessage = (code: number, bytes: Buffer, at: number, end: number) => boolean

export class Frames {
  /** Gets the code of each message and its body, `bytes[at…end)`, which it must not keep. */
  onMessage: OnMessage = () => true
  #block: Buffer = Buffer.allocUnsafeSlow(blockSize)
  /** How much of a message, whose end has not come yet, stands at the beginning of the block. */
  #filled = 0
  /** How long that message is, as far as it is known. */
  #needed = headerLength

  /** Where the next bytes are to be written; `received` then says how many. */
  room(): Buffer {
    const { length } = this.#block
    if (this.#filled === length) {
      // Not at once as much as the message says that it has: what says so may be no PostgreSQL.
      const block = Buffer.allocUnsafeSlow(Math.min(this.#needed, 2 * length))
      this.#block.copy(block)
      this.#block = block
    } else if (this.#filled === 0) {
      if (length > blockSize) this.#block = Buffer.allocUnsafeSlow(blockSize)
      return this.#block
    }
    return this.#block.subarray(this.#filled)
  }

  /** Bytes were written where `room` said. */
  received(count: number): void {
    const bytes = this.#block
    const filled = this.#filled + count
    let at = 0
    this.#needed = headerLength
    while (at + headerLength <= filled) {
      const end = at + 1 + bytes.readInt32BE(at + 1)
      if (end > filled) {
        this.#needed = end - at
        break
      }
      // A length that does not even count itself comes from something that is no PostgreSQL: so does a code that it has not.
      const isSound = end >= at + headerLength
      if (!this.onMessage(isSound ? (bytes[at] as number) : 0, bytes, at + headerLength, end)) return
      at = Math.max(end, at + headerLength)
    }
    if (at > 0 && at < filled) bytes.copyWithin(0, at, filled)
    this.#filled = filled - at
  }

  /** Bytes that came in a buffer of somebody else's. */
  feed(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const room = this.room()
      const count = Math.min(room.length, chunk.length - at)
      room.set(chunk.subarray(at, at + count))
      this.received(count)
      at += count
    }
  }
}
