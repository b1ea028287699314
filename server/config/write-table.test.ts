import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { readBlocks } from '../e2e/support/readme-block.js'
import { configurationTable, llmsText } from './write-table.js'

const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8')

describe.each(['../../llms.txt', '../llms.txt'])('%s', (path) => {
  it('is generated from the README (npm run docs writes it)', async () => {
    expect(await read(path)).toBe(llmsText(await read('../../README.md')))
  })

  it('has the five examples of the README', async () => {
    const examples = [...(await readBlocks('README.md')), ...(await readBlocks('README.md', 'tsx'))]
    expect(examples).toHaveLength(5)
    const text = await read(path)
    for (const example of examples) expect(text).toContain(example)
  })

  it('has no relative link', async () => {
    expect(await read(path)).not.toMatch(/\]\((?!https:)/)
  })
})

it('CONFIGURATION.md has the table of the schema (npm run docs writes it)', async () => {
  const guide = await read('../CONFIGURATION.md')
  const cells = (text: string): string => text.replace(/[ -]+/g, ' ')
  expect(cells(guide)).toContain(cells(configurationTable()))
})
