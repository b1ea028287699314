import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PluginDefinition } from './catalog.js'

/** The names that code of a workspace imports, and the entries of this package behind each. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  'plugin-auth-core': ['backends', 'contract'],
  'auth-kv-oauth': ['backends/kv-oauth'],
  'auth-workos': ['backends/workos'],
  'auth-better-auth': ['backends/better-auth'],
}

/** The plugin's part of the database schema. */
export const AUTH_SCHEMA = 'plugins/auth/database/auth.prisma'

const BACKEND = `// The interactive backend wired by hand, for main.ts beside it or a test of your own.
import { createKvOAuthBackend, getRequiredEnv, providers } from '@netscript/auth-kv-oauth'

export const backend = await createKvOAuthBackend({
  provider: providers.google({
    clientId: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_ID'),
    clientSecret: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_SECRET'),
    redirectUri: getRequiredEnv('NETSCRIPT_AUTH_REDIRECT_URI'),
  }),
})
`

const MAIN = `// The auth-api service on the backend of backend.ts. It needs TypeScript and a DATABASE_URL:
//   npm install --save-dev typescript @types/node
//   npx tsc -p services/auth
//   node --env-file=.env services/auth/dist/main.js
// \`npm run auth\` needs neither, and NETSCRIPT_AUTH_BACKEND chooses its backend.
import { getRequiredEnv } from '@netscript/auth-kv-oauth'
import { createAuthService, readConfig } from '@netscript/plugin-auth/server'
import { backend } from './backend.js'

const service = await createAuthService({
  config: readConfig(process.env, { production: process.env.NODE_ENV === 'production' }),
  databaseUrl: getRequiredEnv('DATABASE_URL'),
  backend,
})
console.log('auth-api listens at', service.url)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => service.close())
`

const TSCONFIG = {
  compilerOptions: {
    target: 'ES2023',
    module: 'NodeNext',
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    skipLibCheck: true,
    rootDir: 'src',
    outDir: 'dist',
  },
  include: ['src'],
}

/**
 * The local packages by which the names of {@link ALIASES} resolve, for Node and for TypeScript.
 * They are linked with \`file:\`: nothing is fetched, whatever registry there is or is not.
 */
export function authPackages(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.keys(ALIASES).map((name) => [
      `@netscript/${name}`,
      `file:plugins/auth/packages/${name}`,
    ]),
  )
}

/** The files of the auth plugin, by path. */
export function authFiles(plugin: PluginDefinition): Readonly<Record<string, string>> {
  const files: Record<string, string> = {
    [AUTH_SCHEMA]: readSchema(plugin),
    // The workspace may be CommonJS; this code awaits at the top.
    'services/auth/package.json': json({ name: 'auth-api', private: true, type: 'module' }),
    'services/auth/tsconfig.json': json(TSCONFIG),
    'services/auth/src/backend.ts': BACKEND,
    'services/auth/src/main.ts': MAIN,
  }
  for (const [name, entries] of Object.entries(ALIASES)) {
    const code = entries.map((entry) => `export * from '${plugin.package}/${entry}'\n`).join('')
    const directory = `plugins/auth/packages/${name}`
    files[`${directory}/package.json`] = json({
      name: `@netscript/${name}`,
      version: plugin.version,
      private: true,
      type: 'module',
      exports: { '.': { types: './index.d.ts', default: './index.js' } },
      peerDependencies: { [plugin.package]: '*' },
    })
    files[`${directory}/index.js`] = code
    files[`${directory}/index.d.ts`] = code
  }
  return files
}

function readSchema({ packageRoot }: PluginDefinition): string {
  return readFileSync(join(packageRoot, 'prisma/schema/auth.prisma'), 'utf8')
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
