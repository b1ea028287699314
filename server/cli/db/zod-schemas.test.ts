import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { addAuthPlugin, linkPackages } from '../testing/add-plugin.js'
import { runCli, temporaryWorkspace } from '../testing/run-cli.js'

const require = createRequire(import.meta.url)
const GENERATOR = fileURLToPath(new URL('./zod-generator.ts', import.meta.url))

const MODELS = `
enum Color {
  RED
  DARK_BLUE
}

/// One of everything. */
model Thing {
  id      String   @id
  text    String?
  count   Int
  big     BigInt
  ratio   Float
  price   Decimal?
  at      DateTime
  extra   Json
  bytes   Bytes
  tags    String[]
  color   Color
  colors  Color[]
  parent  Thing?   @relation("tree", fields: [parentId], references: [id])
  parentId String?
  children Thing[] @relation("tree")
}
`

const USE = `
import { AuthUserSchema, ColorSchema, ThingSchema, type ThingRow } from '../prisma/generated/zod/index.js'
import type { Thing } from '../prisma/generated/client.js'

// What the client reads is what the schema says, in both directions.
type Plain<Row> = Omit<Row, 'extra' | 'bytes'>
export const row = (thing: Thing): Plain<ThingRow> => thing
export const back = (thing: ThingRow): Plain<Thing> => thing
const color: 'RED' | 'DARK_BLUE' = ColorSchema.parse('DARK_BLUE')
// @ts-expect-error there is no such colour
export const none: 'GREEN' = color
console.log(AuthUserSchema.safeParse({}).success, Object.keys(ThingSchema.shape).join())
`

it('generates the client and matching zod schemas for a strict TypeScript workspace', async () => {
  const root = temporaryWorkspace({ name: 'mine', type: 'module' })
  linkPackages(root)
  await addAuthPlugin(root)
  writeFileSync(join(root, 'prisma/schema/things.prisma'), MODELS)
  // The installed generator is a command; here it runs from source.
  const own = join(root, 'prisma/schema/netscript.prisma')
  const tsx = pathToFileURL(require.resolve('tsx')).href
  const command = `${process.execPath} --conditions @netscript/source --import ${tsx} ${GENERATOR}`
  writeFileSync(own, readFileSync(own, 'utf8').replace('netscript-zod', command))

  const generated = await runCli(root, ['db', 'generate'])
  expect(generated).toMatchObject({ code: 0, stderr: '' })
  expect(generated.stdout).toMatch(/Prisma Client in .*\n.*zod schemas in .*zod\n/)

  mkdirSync(join(root, 'src'))
  writeFileSync(join(root, 'src/use.ts'), USE)
  execFileSync(
    process.execPath,
    [
      require.resolve('typescript/bin/tsc'),
      ...['--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes'],
      ...['--verbatimModuleSyntax', '--module', 'nodenext', '--target', 'es2023'],
      ...['--skipLibCheck', '--types', 'node', '--outDir', 'out', 'src/use.ts'],
    ],
    { cwd: root, stdio: 'inherit' },
  )
  const said = execFileSync(process.execPath, ['out/src/use.js'], { cwd: root, encoding: 'utf8' })
  expect(said).toBe(
    'false id,text,count,big,ratio,price,at,extra,bytes,tags,color,colors,parentId\n',
  )
})

it('shows the message of Prisma for an invalid schema', async () => {
  const root = temporaryWorkspace()
  linkPackages(root)
  await addAuthPlugin(root)
  writeFileSync(join(root, 'prisma/schema/things.prisma'), 'model Thing {\n  id Strin @id\n}\n')
  const { code, stderr } = await runCli(root, ['db', 'generate'])
  expect(code).toBe(1)
  expect(stderr).toContain('"Strin"')
  expect(stderr).not.toMatch(/\n\s+at /)
})
