import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { AUTH_BACKEND_CHECKS } from './run.js'

const read = (file: string) => readFile(new URL(file, import.meta.url), 'utf8')

/** The file with imports as a user of the package writes them. */
async function asPublished(file: string): Promise<string> {
  const text = await read(file)
  return text
    .replaceAll("'../../index.js'", "'@netscript/plugin-auth-core'")
    .replaceAll("'../index.js'", "'@netscript/plugin-auth-core'")
    .replaceAll("'./index.js'", "'@netscript/plugin-auth-core/conformance'")
    .replaceAll("'./testing/fourth-backend.js'", "'./fourth-backend.js'")
}

describe('the guides', () => {
  it.each(['testing/fourth-backend.ts', 'fourth-backend.test.ts'])(
    'contain the current %s',
    async (file) => {
      const block = `\`\`\`ts\n${await asPublished(file)}\`\`\``
      expect(await read('../README.md')).toContain(block)
    },
  )

  it('list all checks', async () => {
    const list = AUTH_BACKEND_CHECKS.map(({ id, title }) => `- \`${id}\`: ${title}`).join('\n')
    expect(await read('README.md')).toContain(`${list}\n`)
  })
})
