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
  [/\b(some|any|every)body\b/i, 'a user, a caller, every client'],
  [/\b(whoever|whom)\b/i, 'a caller, an operator, anyone who'],
  [/\blog-outs?\b/i, 'sign-out, or logout in the terms of OpenID'],
  [/\b(is|are|was|were) over(?! \d| the| a\b| 255)\b/i, 'expired, ended, has passed'],
]

/** In prose alone: `person` and `people` are names in code, such as those of columns and styles. */
const FORBIDDEN_IN_PROSE: typeof FORBIDDEN = [
  ...FORBIDDEN,
  [/\b(person|people)\b/i, 'user, caller, operator'],
]

/** A text that is read, and where it is. */
interface Text {
  readonly where: string
  readonly text: string
}

/** What is wrong with texts, as `README.md:3: "nobody" (write ...)`. */
const faultsOf = (texts: readonly Text[], words = FORBIDDEN_IN_PROSE): string[] =>
  texts.flatMap(({ where, text }) =>
    words.flatMap(([pattern, instead]) => {
      const [found] = pattern.exec(text) ?? []
      return found === undefined ? [] : [`${where}: "${found}", write: ${instead}`]
    }),
  )

describe('forbidden words', () => {
  it.each([
    'Mend it.',
    'Nobody is signed in',
    'of somebody else',
    'trusts everybody',
    'whoever asks',
    'to whom it belongs',
    'the person signs in',
    'a log-out',
    'This sign-in is over',
    'when its time was over',
  ])('are found in: %s', (text) => {
    expect(faultsOf([{ where: 'here', text }])).toHaveLength(1)
  })

  it('are found in comments and in the text of JSX, but in no code that a comment quotes', () => {
    const text = `/**
     * This sign-in is
     * over.
     */
    const page = <p title="x">{/* Mend it. */}Nobody // is signed in</p> // Ask \`nobody\`.
    // whoever asks
    `
    expect(faultsOf(proseOf('page.tsx', text)).map((fault) => fault.split(',')[0])).toEqual([
      'page.tsx:1: "is over"',
      'page.tsx:5: "Mend"',
      'page.tsx:5: "Nobody"',
      'page.tsx:6: "whoever"',
    ])
  })

  it('are in no comment, and in no text of a component', async () => {
    const files = (await repositoryFiles()).filter((file) => SOURCE.test(file) && file !== OWN)
    const texts = await Promise.all(
      files.map(async (file) => proseOf(file, await readFile(ROOT + file, 'utf8'))),
    )
    expect(texts.flat().length).toBeGreaterThan(4000)
    expect(faultsOf(texts.flat())).toEqual([])
  })

  it('are in no string of a shipped source', () => {
    const sources = shippedSources().filter(({ fileName }) => !fileName.includes('/generated/'))
    const texts = sources.flatMap(textsIn).filter(({ text }) => !NAMES.has(text))
    expect(texts.length).toBeGreaterThan(5000)
    expect(faultsOf(texts, FORBIDDEN)).toEqual([])
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
    const files = (await repositoryFiles()).filter((file) => TESTS.test(file) && file !== OWN)
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

/** This file quotes the words. */
const OWN = import.meta.filename.slice(ROOT.length)

/** Files whose comments are read; the checksum of a migration must stay. */
const SOURCE = /^(?!prisma\/migrations\/|.*\/generated\/).*\.(tsx?|mjs|sql|css|prisma)$/

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
  return text.split('\n').map((line, at) => ({
    where: `${file}:${at + 1}`,
    text: line.replace(/`[^`]*`/g, ''),
  }))
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

/** Comments, without the code that they quote, and the text of JSX. */
function proseOf(file: string, text: string): Text[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found = /\.(tsx?|mjs)$/.test(file) ? rangesOf(source) : rangesIn(text)
  return found.map(([start, end]) => ({
    where: `${file}:${source.getLineAndCharacterOfPosition(start).line + 1}`,
    text: text
      .slice(start, end)
      .replace(/`[^`]*`/g, '')
      .replace(/\s*\n\s*(\*(?!\/)|\/\/|--)?\s*/g, ' '),
  }))
}

type Range = readonly [start: number, end: number]

function rangesOf(source: ts.SourceFile): Range[] {
  const found = new Map<number, number>()
  const look = (node: ts.Node): void => {
    if (ts.isJsxText(node)) return void found.set(node.getStart(), node.getEnd())
    const children = node.getChildren().filter((child) => !ts.isJSDoc(child))
    if (children.length > 0) return children.forEach(look)
    const text = source.text
    for (const { pos, end } of [
      ...(ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.getEnd()) ?? []),
    ]) {
      found.set(pos, end)
    }
  }
  look(source)
  return [...found].sort(([a], [b]) => a - b)
}

/** Comments of SQL, CSS and Prisma. */
function rangesIn(text: string): Range[] {
  const comments = text.matchAll(/\/\*[^]*?\*\/|(?:^|\s)(?:--|\/\/).*/g)
  return [...comments].map((found) => [found.index, found.index + found[0].length])
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
