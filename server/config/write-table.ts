import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { z } from 'zod'
import { VARIABLES } from './variables.js'

/** Generates the table in CONFIGURATION.md from the schema of the variables. */
export function configurationTable(): string {
  const rows = Object.entries(VARIABLES).map(([name, schema]) => {
    const { description = '' } = schema as z.ZodType
    return `| \`${name}\` | ${defaultOf(schema)} | ${description} |`
  })
  return ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

function defaultOf(schema: z.ZodType): string {
  const { def } = schema as unknown as { def: { type: string; defaultValue?: unknown } }
  if (def.type !== 'default') return ''
  const text = Array.isArray(def.defaultValue)
    ? def.defaultValue.join(' ')
    : String(def.defaultValue)
  return text === '' ? '' : `\`${text}\``
}

const REPOSITORY = 'https://github.com/netscript/plugin-auth/blob/main/'

/** The sections of the README that a language model needs to write code with the packages. */
const SECTIONS = ['Getting started', 'Routes', 'Examples', 'Packages', 'Guides']

/** llms.txt: the README's introduction, packages, examples and guides, with absolute links. */
export function llmsText(readme: string): string {
  const [introduction = '', ...sections] = readme.split(/^(?=## )/m)
  const [title = '', ...paragraphs] = introduction.trim().split('\n\n')
  const chosen = SECTIONS.map((name) => {
    const section = sections.find((one) => one.startsWith(`## ${name}\n`))
    if (section === undefined) throw new Error(`README.md has no section "${name}".`)
    return section
  })
  const summary = paragraphs.join(' ').replaceAll('\n', ' ')
  return `${[`${title}\n\n> ${summary}\n`, ...chosen].join('\n')}`
    .replace(/^!\[.*\n\n/gm, '')
    .replace(/^<!-- .* -->\n/gm, '')
    .replace(/\]\((?!https?:)([^)]+)\)/g, `](${REPOSITORY}$1)`)
    .replace(/\n{3,}/g, '\n\n')
}

const GUIDE = new URL('../CONFIGURATION.md', import.meta.url)
const BLOCK = /(<!-- configuration -->)[\s\S]*?(<!-- \/configuration -->)/

/** Writes the table into CONFIGURATION.md, and both copies of llms.txt. */
async function writeDocuments(): Promise<void> {
  const guide = await readFile(GUIDE, 'utf8')
  await writeFile(GUIDE, guide.replace(BLOCK, `$1\n\n${configurationTable()}\n\n$2`))
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  for (const path of ['../../llms.txt', '../llms.txt']) {
    await writeFile(new URL(path, import.meta.url), llmsText(readme))
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeDocuments()
