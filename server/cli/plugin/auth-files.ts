import { readFileSync } from 'node:fs'
import { ownSchema } from '@netscript/auth-database/internal'

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
import { createAuthService, readConfig } from '@netscript/plugin-auth'
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

/** The files of the auth plugin, by path. */
export function authFiles(): Readonly<Record<string, string>> {
  return {
    [AUTH_SCHEMA]: readFileSync(ownSchema(), 'utf8'),
    // The workspace may be CommonJS; this code awaits at the top.
    'services/auth/package.json': json({ name: 'auth-api', private: true, type: 'module' }),
    'services/auth/tsconfig.json': json(TSCONFIG),
    'services/auth/src/backend.ts': BACKEND,
    'services/auth/src/main.ts': MAIN,
  }
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
