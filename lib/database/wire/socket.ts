// The socket that `pg` connects with, where it is not TLS: it reads into a block of its own instead of a new one for every
// packet, and without the machinery of streams, which cost the client a third of a point lookup.
// In: what `pg` does with a socket. Out: `data` events while it connects; messages once somebody takes them.

import { type ConnectOpts, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Frames, type OnMessage } from './frames.ts'

interface Reading {
  readonly frames: Frames
  /** Called with every packet; null until somebody takes what arrives. */
  arrived: (() => void) | null
}

const readings = new WeakMap<Duplex, Reading>()

export function serverSocket(): Socket {
  const frames = new Frames()
  const reading: Reading = { frames, arrived: null }
  const options: ConnectOpts = {
    onread: {
      buffer: () => frames.room(),
      callback(count, bytes) {
        if (reading.arrived === null) {
          // A copy: the block is read into again.
          const copy = Buffer.from(bytes.subarray(0, count))
          // Whoever takes over must have the beginning of a message whose end has not come yet.
          frames.received(count)
          socket.emit('data', copy)
        } else {
          reading.arrived()
          frames.received(count)
        }
        return true
      },
    },
  }
  const socket = new Socket(options as object)
  readings.set(socket, reading)
  return socket
}

/**
 * From now on, the messages that a stream receives go to `onMessage`, and its `data` to nobody else.
 * @param arrived called before the messages of each packet
 */
export function takeMessages(stream: Duplex, arrived: () => void, onMessage: OnMessage): void {
  const reading = readings.get(stream)
  const frames = reading?.frames ?? new Frames()
  frames.onMessage = onMessage
  if (reading !== undefined) reading.arrived = arrived
  stream.removeAllListeners('data')
  // Of TLS, and of whatever else is not ours.
  stream.on('data', (chunk: Buffer) => {
    arrived()
    frames.feed(chunk)
  })
}
