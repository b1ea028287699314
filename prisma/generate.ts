import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { engineVariables } from './engine.js'

/**
 * `npm run generate`: writes the Prisma client to prisma/generated, only when the schema or the
 * Prisma version changed. Works offline: the CLI requires a schema engine although generation uses
 * none, so it gets the bundled one when the native engine is missing.
 */
const require = createRequire(import.meta.url)
const here = fileURLToPath(new URL('.', import.meta.url))
const stamp = join(here, 'generated', '.schema-hash')
const prisma = dirname(require.resolve('prisma/package.json'))

const hash = schemaHash()
if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) {
  console.log('The Prisma client is up to date.')
} else {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(prisma, 'build', 'index.js'), 'generate', '--no-hints'],
    {
      cwd: dirname(here),
      env: { ...process.env, ...engineVariables(), CHECKPOINT_DISABLE: '1' },
      encoding: 'utf8',
    },
  )
  if (status === 0) {
    writeFileSync(stamp, hash)
    console.log('Generated the Prisma client in prisma/generated.')
  } else {
    console.error(`${stdout}${stderr}The Prisma client could not be generated.`)
    process.exitCode = status ?? 1
  }
}

function schemaHash(): string {
  const sum = createHash('sha256')
  for (const file of readdirSync(join(here, 'schema')).sort()) {
    sum.update(`${file}\0`).update(readFileSync(join(here, 'schema', file)))
  }
  for (const name of ['prisma', '@prisma/client']) {
    sum.update(readFileSync(require.resolve(`${name}/package.json`)))
  }
  return sum.digest('hex')
}
