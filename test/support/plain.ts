// Imported before a test with PLAINSQL_PLAIN=1: makes every `pg` client one whose socket plainsql does not take, as that of
// another version of pg might be, so that everything runs by `client.query`.

import type { Duplex } from 'node:stream'
import { Connection } from 'pg'

interface Listening {
  attachListeners(stream: Duplex): void
}

const prototype = Connection.prototype as unknown as Listening
const { attachListeners } = prototype

prototype.attachListeners = function (this: Listening, stream) {
  attachListeners.call(this, stream)
  // We take no socket that somebody else listens to.
  stream.on('data', () => {})
}
