import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createOpenApiDocument } from './document.js'

const FILE = fileURLToPath(new URL('auth.v1.json', import.meta.url))

const text = `${JSON.stringify(createOpenApiDocument(), null, 2)}\n`

if (!process.argv.includes('--check')) {
  await writeFile(FILE, text)
  console.log('openapi/auth.v1.json is written.')
} else if ((await readFile(FILE, 'utf8').catch(() => '')) !== text) {
  console.error('openapi/auth.v1.json differs from the contract. Run: npm run openapi')
  process.exitCode = 1
}
