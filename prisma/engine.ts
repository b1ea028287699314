import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

/**
 * What the Prisma CLI needs in its environment to do without its native schema engine, which is a
 * download that not every machine can make: ours, over Prisma's WebAssembly build. Empty when an
 * engine was chosen already, and when there is a native one but not that build, which is optional.
 */
export function engineVariables(): { PRISMA_SCHEMA_ENGINE_BINARY?: string } {
  if (process.env.PRISMA_SCHEMA_ENGINE_BINARY) return {}
  if (!isInstalled('@prisma/schema-engine-wasm') && hasNativeEngine()) return {}
  const root = dirname(require.resolve('@netscript/auth-database/package.json'))
  return { PRISMA_SCHEMA_ENGINE_BINARY: join(root, 'schema-engine.mjs') }
}

function isInstalled(name: string): boolean {
  try {
    return Boolean(require.resolve(name))
  } catch {
    return false
  }
}

function hasNativeEngine(): boolean {
  const prisma = createRequire(require.resolve('prisma/package.json'))
  const engines = dirname(prisma.resolve('@prisma/engines/package.json'))
  return readdirSync(engines).some((name) => name.startsWith('schema-engine-'))
}
