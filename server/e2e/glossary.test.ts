import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { createOpenApiDocument } from '../../openapi/document.js'
import { createProgram } from '../cli/program.js'
import { repositoryFiles, ROOT } from './support/documents.js'
import { placeOf, shippedSources, visit } from './support/shipped-sources.js'

/** Words that texts for users, operators and developers do not use, each with the one that they use. */
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [/\bmend(s|ed|ing)?\b/i, 'fix'],
  [/\b[Nn]obody\b/, 'unauthenticated, anonymous, no session, no one'],
  [/\bsomebody\b/i, 'a user, a caller'],
  [/\bwhoever\b/i, 'a caller, an operator, anyone who'],
  [/\blog-outs?\b/i, 'sign-out, or logout in the terms of OpenID'],
  [/\b(is|are|was|were) over(?! \d| the| a\b| 255)\b/i, 'expired, ended, has passed'],
]

/** A text that is read, and where it is. */
interface Text {
  readonly where: string
  readonly text: string
}

/** What is wrong with texts, as `README.md:3: "nobody" (write ...)`. */
const faultsOf = (texts: readonly Text[]): string[] =>
  texts.flatMap(({ where, text }) =>
    FORBIDDEN.flatMap(([pattern, instead]) => {
      const [found] = pattern.exec(text) ?? []
      return found === undefined ? [] : [`${where}: "${found}", write: ${instead}`]
    }),
  )

describe('forbidden words', () => {
  it.each(['Mend it.', 'Nobody is signed in', 'of somebody else', 'whoever asks', 'a log-out'])(
    'are found in: %s',
    (text) => {
      expect(faultsOf([{ where: 'here', text }])).toHaveLength(1)
    },
  )

  it.each(['This sign-in is over', 'when its time was over'])('are found in: %s', (text) => {
    expect(faultsOf([{ where: 'here', text }])).toHaveLength(1)
  })

  it('are in no string of a shipped source', () => {
    const sources = shippedSources().filter(({ fileName }) => !fileName.includes('/generated/'))
    const texts = sources.flatMap(textsIn).filter(({ text }) => !NAMES.has(text))
    expect(texts.length).toBeGreaterThan(5000)
    expect(faultsOf(texts)).toEqual([])
  })

  it('are in no text of the OpenAPI document', () => {
    const texts = textsOf(createOpenApiDocument(), 'openapi')
    expect(texts.length).toBeGreaterThan(500)
    expect(faultsOf(texts)).toEqual([])
  })

  it('are in no help of the command line', () => {
    expect(faultsOf(helpOf(createProgram()))).toEqual([])
  })

  it('are in no title of a test', async () => {
    const own = import.meta.filename.slice(ROOT.length)
    const files = (await repositoryFiles()).filter((file) => TESTS.test(file) && file !== own)
    const titles = await Promise.all(files.map(titlesOf))
    expect(titles.flat().length).toBeGreaterThan(1500)
    expect(faultsOf(titles.flat().filter(({ text }) => !NAMES.has(text)))).toEqual([])
  })

  it('are in no document, and in no file for deployments', async () => {
    const files = (await repositoryFiles()).filter((file) => DOCUMENT.test(file))
    expect(files.length).toBeGreaterThan(20)
    const texts = await Promise.all(files.map(linesOf))
    expect(faultsOf(texts.flat())).toEqual([])
  })
})

/** Names that keys are derived from: another name would be another key. */
const NAMES = new Set(['log-out-transaction'])

/** Markdown, and what operators and developers copy. */
const DOCUMENT = /\.md$|^server\/deploy\/|^compose\.yaml$|^Dockerfile$|\.prisma$/

/** Tests, and the cases that they share. */
const TESTS = /\.test\.tsx?$|-suite\.ts$|^server\/e2e\/.*\.ts$/

async function titlesOf(file: string): Promise<Text[]> {
  const text = await readFile(ROOT + file, 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const titles: Text[] = []
  visit(source, (node) => {
    if (!ts.isCallExpression(node) || !/^(it|describe)/.test(node.expression.getText())) return
    const [title] = node.arguments
    if (title) titles.push(...textsIn(title))
  })
  return titles
}

async function linesOf(file: string): Promise<Text[]> {
  const text = await readFile(ROOT + file, 'utf8')
  return text.split('\n').map((line, at) => ({ where: `${file}:${at + 1}`, text: line }))
}

/** Literals and texts of templates; names of modules are none. */
function textsIn(below: ts.Node): Text[] {
  const texts: Text[] = []
  visit(below, (node) => {
    if (
      ts.isStringLiteralLike(node) ||
      ts.isTemplateHead(node) ||
      ts.isTemplateMiddleOrTemplateTail(node)
    ) {
      texts.push({ where: placeOf(node), text: node.text })
    }
  })
  return texts
}

function textsOf(node: unknown, where: string): Text[] {
  if (typeof node === 'string') return [{ where, text: node }]
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, value]) => textsOf(value, `${where}/${key}`))
}

const helpOf = (command: Command): Text[] => [
  { where: command.name(), text: command.helpInformation() },
  ...command.commands.flatMap(helpOf),
]
