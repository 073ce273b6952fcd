// What `node` needs to run a TypeScript program of ours.

export const typescriptFlags: readonly string[] = ['--import', import.meta.resolve('./typescript.mjs')]
