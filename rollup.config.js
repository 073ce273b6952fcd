// The last step of `npm run build`: joins tsc's modules (dist/modules) into a few files, comments and all. In: one entry
// for each of package.json's `exports` and `bin`. Out: the entries where package.json expects them, and in dist/shared
// a file for each folder of lib that they have in common.
//
// Why: of the time that an import takes, a third was the reading of sixty files.

import { defineConfig } from 'rollup'

const entries = ['index', 'testing/index', 'compile/index', 'cli/main']
/** Finds its own frames in a stack by where it stands, so it stays there. */
const callSite = 'database/observe/callSite'

export default defineConfig({
  input: Object.fromEntries(entries.map((entry) => [entry, `dist/modules/${entry}.js`])),
  external: (id) => !/^[./]/.test(id),
  output: {
    dir: 'dist',
    // One folder deep, as lib/compile/cache.ts has it, which hashes all of dist by the folder above its own.
    // Names without a hash, which a stack trace can show: the versions of a package do not meet in one folder.
    chunkFileNames: ({ name }) => (name === callSite ? '[name].js' : 'shared/[name].js'),
    manualChunks(id) {
      if (id.endsWith(`${callSite}.js`)) return callSite
      const [, part] = /\/modules\/(compile|database|embedded|errors|migrate|query)\b/.exec(id) ?? []
      if (entries.some((entry) => id.endsWith(`/modules/${entry}.js`))) return
      return part === 'database' || part === 'errors' || part === 'query' ? 'runtime' : part
    },
    hoistTransitiveImports: false,
  },
  onLog(level, log, print) {
    // The rules of nullability call each other, as the expressions do that they are about.
    if (log.code !== 'CIRCULAR_DEPENDENCY') print(level, log)
  },
})
