import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
let copy: string

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'netscript-auth-generate-'))
  const parts = ['package.json', 'prisma.config.ts', 'tsconfig.json', 'prisma/schema']
  const modules = ['generate.ts', 'engine.ts', 'schema-engine.mjs'].map((name) => `prisma/${name}`)
  for (const part of [...parts, ...modules]) {
    cpSync(join(root, part), join(copy, part), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
})

afterAll(() => rmSync(copy, { recursive: true }))

/** As `npm run generate` does, where no download can succeed. */
function generate(): { code: number | null; said: string } {
  const { PRISMA_SCHEMA_ENGINE_BINARY: _, DATABASE_URL: __, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions', '@netscript/source', '--import', 'tsx', 'prisma/generate.ts'],
    {
      cwd: copy,
      env: { ...env, PRISMA_ENGINES_MIRROR: 'http://127.0.0.1:1' },
      encoding: 'utf8',
    },
  )
  return { code: status, said: stdout + stderr }
}

it('makes the client without a network and without a database, and once', () => {
  expect(generate()).toEqual({
    code: 0,
    said: 'Generated the Prisma client in prisma/generated.\n',
  })
  expect(existsSync(join(copy, 'prisma/generated/client.ts'))).toBe(true)
  expect(generate()).toEqual({ code: 0, said: 'The Prisma client is up to date.\n' })
}, 60_000)

it('makes it again for another schema, and fails for one that is wrong', () => {
  const file = join(copy, 'prisma/schema/auth.prisma')
  const schema = readFileSync(file, 'utf8')
  writeFileSync(file, `${schema}\nmodel Extra {\n  id String @id\n}\n`)
  expect(generate()).toMatchObject({ code: 0, said: expect.stringMatching(/^Generated/) })
  writeFileSync(file, `${schema}\nmodel Extra {\n  id Strin @id\n}\n`)
  const failed = generate()
  expect(failed).toMatchObject({ code: 1, said: expect.stringContaining('"Strin"') })
  expect(generate().code).toBe(1)
}, 60_000)
