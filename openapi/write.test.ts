import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { contractRoutes } from '@netscript/auth-contract/internal'
import { expect, it } from 'vitest'
import { CURL_STEPS } from './curl.js'
import { DOCUMENTED } from './document.js'

it('the generated files match the contract; run npm run openapi to update them', async () => {
  const script = fileURLToPath(new URL('write.ts', import.meta.url))
  const command = ['--conditions', '@netscript/source', '--import', 'tsx', script, '--check']
  await promisify(execFile)('node', command)
})

it('openapi/CURL.md covers every route', () => {
  const keys = DOCUMENTED.flatMap(({ contract }) => contractRoutes(contract)).map(([key]) => key)
  expect([...new Set(CURL_STEPS.map(({ key }) => key))].sort()).toEqual(keys.sort())
})
