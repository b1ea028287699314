import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { validate } from 'dockerfile-utils'
import { expect, it } from 'vitest'
import { ROOT } from './support/documents.js'

it('has a Dockerfile without a fault', async () => {
  expect(validate(await readFile(join(ROOT, 'Dockerfile'), 'utf8'))).toEqual([])
})
