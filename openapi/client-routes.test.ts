import { readFile } from 'node:fs/promises'
import { format, resolveConfig } from 'prettier'
import { expect, it } from 'vitest'
import { clientRoutes } from './client-routes.js'

const FILE = new URL('../client/routes.ts', import.meta.url)

it('client/routes.ts matches the contract; run npm run openapi to update it', async () => {
  const expected = await format(clientRoutes(), {
    ...(await resolveConfig(FILE)),
    parser: 'typescript',
  })
  expect(await readFile(FILE, 'utf8')).toBe(expected)
})
