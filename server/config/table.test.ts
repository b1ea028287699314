import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { configurationTable } from './table.js'

it('the table in the README is that of the schema (npm run docs writes it)', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const cells = (text: string): string => text.replace(/[ -]+/g, ' ')
  expect(cells(readme)).toContain(cells(configurationTable()))
})
