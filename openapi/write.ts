import { readFile, writeFile } from 'node:fs/promises'
import { format, resolveConfig } from 'prettier'
import { clientRoutes, clientTypes } from './client-code.js'
import { curlWalk } from './curl.js'
import { createOpenApiDocument } from './document.js'

const path = (file: string): URL => new URL(`../${file}`, import.meta.url)
const pretty = async (file: string, source: string): Promise<string> =>
  format(source, { ...(await resolveConfig(path(file))), filepath: file })

const GENERATED: Record<string, string> = {
  'openapi/auth.v1.json': `${JSON.stringify(createOpenApiDocument(), null, 2)}\n`,
  'client/generated/routes.ts': await pretty('client/generated/routes.ts', clientRoutes()),
  'client/generated/wire.ts': await pretty('client/generated/wire.ts', await clientTypes()),
  'openapi/CURL.md': await pretty('openapi/CURL.md', curlWalk()),
}

for (const [file, text] of Object.entries(GENERATED)) {
  if (!process.argv.includes('--check')) {
    await writeFile(path(file), text)
    console.log(`${file} is written.`)
  } else if ((await readFile(path(file), 'utf8').catch(() => '')) !== text) {
    console.error(`${file} differs from the contract. Run: npm run openapi`)
    process.exitCode = 1
  }
}
