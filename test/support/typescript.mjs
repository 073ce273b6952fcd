// Lets `node --import` this file run our TypeScript. What tsx does for users, in a third of its time to start, which matters
// where the tests start some three hundred processes. Newer versions of Node do it without any help.

import { register } from 'node:module'

register('./typescriptHooks.mjs', import.meta.url)
process.setSourceMapsEnabled(true)
