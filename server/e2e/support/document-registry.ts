/*
 * What the blocks of the documents need so that they can be checked. A new block of TypeScript, shell,
 * JSON or YAML needs nothing here, unless it uses names that it does not declare.
 */

/** What blocks and examples take for given: the type of each name. */
export const GIVEN: Readonly<Record<string, string>> = {
  app: `import('express').Express`,
  AUTH_API: 'string',
  ORDERS: 'string',
  greet: '(name: string | undefined) => void',
  REPORTS_TOKEN: 'string',
  fetchWithCookies: 'typeof fetch',
  authenticator: `import('@netscript/plugin-auth/guard').Authenticator`,
  backend: `import('@netscript/plugin-auth/backends').AuthBackendPort`,
}

/** A block, by a text that only it has in its document. */
interface Named {
  readonly document: string
  readonly has: string
}

/** Blocks that are files, which other blocks of their document import. */
export const FILES: readonly (Named & { readonly file: string })[] = [
  {
    document: 'backends/README.md',
    has: 'export function createFourthBackend',
    file: 'fourth-backend.ts',
  },
]

/** Blocks without a grammar, and the test that holds each to what is true. */
export const SHOWN: readonly (Named & { readonly test: string })[] = [
  {
    document: 'backends/storage/REDIS.md',
    has: 'ACL SETUSER',
    test: 'backends/storage/redis-guide.test.ts',
  },
]
