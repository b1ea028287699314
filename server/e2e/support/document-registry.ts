/*
 * What the blocks of the documents need so that they can be checked. A new block of TypeScript, shell,
 * JSON or YAML needs nothing here, unless it uses names that it does not declare.
 */

/** What blocks and examples take for given: the type of each name. */
export const GIVEN: Readonly<Record<string, string>> = {
  app: `import('express').Express`,
  AUTH_API: 'string',
  App: '() => string',
  greet: '(name: string | undefined) => void',
  REPORTS_TOKEN: 'string',
  authenticator: `import('@netscript/auth-guard').Authenticator`,
  backend: `import('@netscript/plugin-auth-core').AuthBackendPort`,
  // Globals of other runtimes, as far as blocks use them.
  Bun: `{ serve(options: { port: number; fetch(request: Request, server: { requestIP(request: Request): { address: string } | null }): Promise<Response> }): unknown }`,
  Deno: `{ serve(options: { port: number }, handler: (request: Request, info: { remoteAddr: { hostname: string } }) => Promise<Response>): unknown }`,
}

/** What examples in comments take for given on top, since they leave imports out. */
export const GIVEN_IN_EXAMPLES: Readonly<Record<string, string>> = {
  // From this package.
  createAuthApp: `typeof import('@netscript/plugin-auth/express').createAuthApp`,
  createAuthPlugin: `typeof import('@netscript/plugin-auth/fastify').createAuthPlugin`,
  authFromEnv: `typeof import('@netscript/plugin-auth/env').authFromEnv`,
  createOpenApiDocument: `typeof import('@netscript/auth-openapi').createOpenApiDocument`,
  createPool: `typeof import('@netscript/auth-database').createPool`,
  createScopeAuthorizer: `typeof import('@netscript/auth-guard').createScopeAuthorizer`,
  getRequiredEnv: `typeof import('@netscript/auth-kv-oauth').getRequiredEnv`,
  readConfig: `typeof import('@netscript/plugin-auth').readConfig`,
  providers: `typeof import('@netscript/auth-kv-oauth').providers`,
  // From others.
  afterAll: `typeof import('vitest').afterAll`,
  createExpressEndpoints: `typeof import('@ts-rest/express').createExpressEndpoints`,
  createServer: `typeof import('node:http').createServer`,
  express: `typeof import('express')`,
  fastify: `typeof import('fastify').fastify`,
  pg: `typeof import('pg')`,
  username: `typeof import('better-auth/plugins').username`,
  z: `typeof import('zod').z`,
  // What the reader has.
  Account: '() => string',
  auth: `import('@netscript/auth-better-auth').BetterAuthInstance`,
  connectionString: 'string',
  contract: `import('@ts-rest/core').AppRouter & Parameters<typeof import('@netscript/auth-guard').guardContract>[0]`,
  error: 'unknown',
  fetchWithCookies: 'typeof fetch',
  greet: '(name: string | undefined) => void',
  handlers: 'never',
  harness: `import('@netscript/plugin-auth-core/conformance').AuthBackendHarness`,
  me: `import('@netscript/auth-client').MeResponse`,
  logger: `import('@netscript/plugin-auth').Logger`,
  ordersContract: `import('@netscript/auth-contract').RouteContract`,
  origin: 'string',
  pool: `import('pg').Pool`,
  prisma: `import('@netscript/auth-better-auth').NetscriptBetterAuthOptions['prisma']`,
  request: 'Request',
  retryLater: '() => void',
  rules: `readonly import('@netscript/auth-guard').ScopeRule[]`,
  secret: 'string',
  Spinner: '() => string',
  text: 'string',
  title: 'string',
}

/** A block, by a text that only it has in its document. */
interface Named {
  readonly document: string
  readonly has: string
}

/** Blocks that are files, which other blocks of their document import. */
export const FILES: readonly (Named & { readonly file: string })[] = [
  {
    document: 'client/guard/FRAMEWORKS.md',
    has: 'export const router',
    file: 'orders.ts',
  },
  {
    document: 'backends/README.md',
    has: 'export function createFourthBackend',
    file: 'fourth-backend.ts',
  },
  {
    document: 'server/testing/README.md',
    has: 'export const createOrders',
    file: 'orders.ts',
  },
  {
    document: 'server/testing/README.md',
    has: 'export const createApp',
    file: 'app.ts',
  },
]

/** Blocks without a grammar, and the test that holds each to what is true. */
export const SHOWN: readonly (Named & { readonly test: string })[] = [
  {
    document: 'backends/kv-oauth/storage/REDIS.md',
    has: 'ACL SETUSER',
    test: 'backends/kv-oauth/storage/redis-guide.test.ts',
  },
]
