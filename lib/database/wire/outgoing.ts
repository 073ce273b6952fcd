// Bytes on their way to the server: messages are written one behind the other into blocks that the socket gets as they
// are. Source: PostgreSQL's protocol, "Message Formats".

const blockSize = 32 * 1024
const nothing = Buffer.alloc(0)
/** 2000-01-01, from which PostgreSQL counts microseconds. */
export const pgEpoch = 946_684_800_000
/** Up to here milliseconds times 1000 are exact in a number: about 285 years on both sides of 2000. */
const maxExactMs = Number.MAX_SAFE_INTEGER / 1000

/** What is written and not yet sent. `take` hands it over; the rest of the block is used for what comes next. */
export class Outgoing {
  bytes: Buffer = Buffer.allocUnsafeSlow(blockSize)
  start = 0
  end = 0

  /** Makes room for `size` more bytes behind what was written since `take`. */
  reserve(size: number): void {
    if (this.end + size <= this.bytes.length) return
    const pending = this.end - this.start
    // A block that the socket may still be sending must not be written again: always a new one.
    const next = Buffer.allocUnsafeSlow(Math.max(blockSize, 2 * pending + size))
    this.bytes.copy(next, 0, this.start, this.end)
    this.bytes = next
    this.start = 0
    this.end = pending
  }

  put(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.end)
    this.end += bytes.length
  }

  putInt32(value: number): void {
    this.reserve(4)
    this.end = this.bytes.writeInt32BE(value, this.end)
  }

  /** A whole number within the exact range as an int8, behind its length. */
  putInt64(value: number): void {
    this.reserve(12)
    const high = Math.floor(value / 2 ** 32)
    this.bytes.writeInt32BE(8, this.end)
    this.bytes.writeInt32BE(high, this.end + 4)
    this.bytes.writeUInt32BE(value - high * 2 ** 32, this.end + 8)
    this.end += 12
  }

  /** A Date as PostgreSQL's int8, behind its length. False, and nothing written, for one that is invalid or far away. */
  putMicroseconds(date: Date): boolean {
    const since2000 = date.getTime() - pgEpoch
    if (!(Math.abs(since2000) < maxExactMs)) return false
    this.putInt64(since2000 * 1000)
    return true
  }

  /** The bytes of a parameter, behind their length. */
  putSized(text: string): void {
    const { length } = text
    this.reserve(4 + (length <= 1024 ? 3 * length : Buffer.byteLength(text)))
    const { bytes } = this
    const from = this.end + 4
    let at = from
    // A call into C++ costs more than a short loop.
    if (length <= 16) {
      for (let index = 0; index < length; index++) {
        const code = text.charCodeAt(index)
        if (code > 127) break
        bytes[at++] = code
      }
    }
    if (at - from !== length) at = from + bytes.write(text, from, 'utf8')
    bytes.writeInt32BE(at - from, this.end)
    this.end = at
  }

  take(): Buffer {
    const taken = this.bytes.subarray(this.start, this.end)
    this.start = this.end
    if (this.bytes.length > blockSize) {
      // Of a large write nothing is kept.
      this.bytes = nothing
      this.start = 0
      this.end = 0
    }
    return taken
  }
}
