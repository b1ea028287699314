import { readFile } from 'node:fs/promises'
import { format, resolveConfig } from 'prettier'
import { describe, expect, it } from 'vitest'
import { CURL_STEPS } from './curl-steps.js'
import { curlWalk } from './curl-walk.js'
import { DOCUMENTED } from './document.js'
import { routesOf } from './routes.js'

const FILE = new URL('CURL.md', import.meta.url)

describe('openapi/CURL.md', () => {
  it('matches the contract; run npm run openapi to update it', async () => {
    const expected = await format(curlWalk(), {
      ...(await resolveConfig(FILE)),
      parser: 'markdown',
    })
    expect(await readFile(FILE, 'utf8')).toBe(expected)
  })

  it('covers every route', () => {
    const keys = DOCUMENTED.flatMap(({ contract }) => routesOf(contract)).map(({ key }) => key)
    expect([...new Set(CURL_STEPS.map(({ key }) => key))].sort()).toEqual(keys.sort())
  })
})
