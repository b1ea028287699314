import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { configurationTable } from './table.js'

it('CONFIGURATION.md has the table of the schema (npm run docs writes it)', async () => {
  const guide = await readFile(new URL('../CONFIGURATION.md', import.meta.url), 'utf8')
  const cells = (text: string): string => text.replace(/[ -]+/g, ' ')
  expect(cells(guide)).toContain(cells(configurationTable()))
})
