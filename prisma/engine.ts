import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

/**
 * Environment variables that let the Prisma CLI run without its native schema engine, which some
 * machines cannot download: they point at the bundled engine, built on Prisma's WebAssembly module.
 * Empty when an engine is already configured, or when the native engine exists and the optional
 * WebAssembly module does not.
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
