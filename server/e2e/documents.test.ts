import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { compile as compileSvelte } from 'svelte/compiler'
import { compileScript, compileTemplate, parse as parseComponent } from 'vue/compiler-sfc'
import ts from 'typescript'
import { parseAllDocuments } from 'yaml'
import { presetNames } from '../../backends/kv-oauth/presets.js'
import { variablePrefix } from '../config/providers.js'
import { VARIABLES } from '../config/variables.js'
import { checkCommands, checkMention } from './support/check-commands.js'
import { checkCaddyfile, checkNginx, describeWithProxies } from './support/check-proxies.js'
import { checkStatements } from './support/check-statements.js'
import { compile, type Compiled, type Snippet } from './support/check-types.js'
import { FILES, GIVEN, SHOWN } from './support/document-registry.js'
import { readExamples } from './support/examples.js'
import { brokenLinks, entryPoints, hiddenTypes } from './support/public-exports.js'
import {
  type Block,
  deadLinks,
  type Document,
  readDocument,
  repositoryFiles,
  ROOT,
} from './support/documents.js'

let files: readonly string[]
let documents: readonly Document[]
let blocks: readonly Block[]
let compiled: Compiled
beforeAll(async () => {
  files = await repositoryFiles()
  const paths = files.filter((file) => file.endsWith('.md'))
  documents = await Promise.all(paths.map((path) => readDocument(path)))
  blocks = documents.flatMap((document) => document.blocks)
  const sources = files.filter((file) => /(?<!\.d|\.test|\.test-d)\.tsx?$/.test(file))
  const examples = await Promise.all(sources.map(readExamples))
  const wrong = { at: 'here', text: 'app.get(1, authenticator)', file: '.documents/wrong.ts' }
  compiled = await compile(
    [...blocks.flatMap(snippetOf), ...examples.flat(), { ...wrong, given: GIVEN }],
    [...entryPoints().values(), 'server/e2e/support/next.d.ts'],
  )
}, 600_000)

/** A block of TypeScript in a folder of its document. */
function snippetOf({ at, document, language, text }: Block, index: number): Snippet[] {
  if (language !== 'ts' && language !== 'tsx') return []
  const named = FILES.find((one) => one.document === document && text.includes(one.has))
  const file = named?.file ?? `block-${index}.${language}`
  return [{ at, text, file: `.documents/${document.replaceAll('/', '-')}/${file}`, given: GIVEN }]
}

/** Checks by the language of a block; a language without a check is a failure. */
const CHECKS: Readonly<Record<string, (block: Block) => string[] | Promise<string[]>>> = {
  // All checked at once, below.
  ts: () => [],
  tsx: () => [],
  nginx: () => [],
  caddyfile: () => [],
  sh: ({ text }) => checkCommands(text),
  js: ({ text }) =>
    ts
      .transpileModule(text, { reportDiagnostics: true })
      .diagnostics?.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' ')) ??
    [],
  // A sketch of a change, not a file.
  diff: () => [],
  json: ({ text }) => {
    JSON.parse(text)
    return []
  },
  yaml: ({ text }) =>
    parseAllDocuments(text).flatMap(({ errors }) => errors.map(({ message }) => message)),
  vue: ({ text }) => {
    const { descriptor, errors } = parseComponent(text)
    const { bindings } = compileScript(descriptor, { id: 'block' })
    const { template } = descriptor
    const compiled = compileTemplate({
      source: template?.content ?? '',
      filename: 'block.vue',
      id: 'block',
      compilerOptions: { ...(bindings && { bindingMetadata: bindings }) },
    })
    return [...errors, ...compiled.errors].map(String)
  },
  svelte: ({ text }) => compileSvelte(text, {}).warnings.map(({ message }) => message),
  sql: ({ text }) => checkStatements(text),
  text: async ({ document, text }) => {
    const shown = SHOWN.find((one) => one.document === document && text.includes(one.has))
    if (!shown) return ['Name its test in SHOWN of server/e2e/support/document-registry.ts.']
    const test = await readFile(ROOT + shown.test, 'utf8')
    const name = posix.basename(document)
    return test.includes(name) ? [] : [`${shown.test} does not read ${name}.`]
  },
}

describe('the blocks of every document', () => {
  it('are valid in their language and for this project', async () => {
    const failures: string[] = []
    for (const block of blocks) {
      const check = CHECKS[block.language]
      const said = check
        ? await Promise.resolve(block)
            .then(check)
            .catch((error: Error) => [error.message])
        : [
            `Nothing checks "${block.language}". Use ${Object.keys(CHECKS).join(', ')}, or add a check.`,
          ]
      failures.push(...said.map((message) => `${block.at}: ${message}`))
    }
    expect(failures).toEqual([])
    expect(blocks.length).toBeGreaterThan(40)
  })
})

describeWithProxies('the configurations of proxies', () => {
  const checkAll = async (language: string, check: (text: string) => Promise<string[]>) => {
    const found = blocks.filter((block) => block.language === language)
    expect(found).not.toEqual([])
    return (await Promise.all(found.map(({ text }) => check(text)))).flat()
  }

  it('are accepted by nginx', async () => {
    expect(await checkAll('nginx', checkNginx)).toEqual([])
    expect(await checkNginx('server { listen 443 ssl; proxy_passes http://a; }')).toHaveLength(1)
  })

  it('are accepted by Caddy', async () => {
    expect(await checkAll('caddyfile', checkCaddyfile)).toEqual([])
    const caddyfile = await readFile(`${ROOT}server/deploy/Caddyfile`, 'utf8')
    expect(await checkCaddyfile(caddyfile)).toEqual([])
    expect(await checkCaddyfile(caddyfile.replace('dynamic', 'dynamics'))).toHaveLength(1)
  })
})

describe('TypeScript in documents and comments', () => {
  it('compiles, against what the package exports', () => {
    expect(compiled.failures).toEqual([expect.stringContaining('here, line 1: ')])
  })

  it('links to names that are in scope', () => {
    expect(brokenLinks(compiled.program)).toEqual([])
  })
})

describe('what can be imported', () => {
  it('names only types that can be imported too', () => {
    expect(hiddenTypes(compiled.program)).toEqual([])
  })
})

describe('the checks', () => {
  it('name only existing blocks', () => {
    const isThere = ({ document, has }: { document: string; has: string }) =>
      blocks.some((block) => block.document === document && block.text.includes(has))
    expect([...FILES, ...SHOWN].filter((one) => !isThere(one))).toEqual([])
  })

  it('report invalid blocks', async () => {
    const wrong = [
      'netscript auth session lists',
      'netscript doctor --fast',
      'netscript auth user disable',
      'netscript auth user',
      'npx netscript db status now',
      'npm run nothing # to see',
      'A=1 netscript nothing && echo done',
      'echo "',
      'unheard-of --now',
      'export NETSCRIPT_AUTH_ORIGIN=https://auth.example.com/',
      'netscript auth provider set goggle --client-id id',
      'netscript auth provider set okta --client-id id',
    ]
    for (const command of wrong) expect(await checkCommands(command), command).toHaveLength(1)
    expect(await checkCommands('A=1 npx netscript auth user disable "$ID"\nnpm test')).toEqual([])
    expect(checkMention('netscript auth users')).toHaveLength(1)
    expect(checkMention('netscript auth user disable <user-id>')).toEqual([])
    expect(await checkStatements('DELETE FROM nothing')).toHaveLength(1)
    const block = { at: 'here', document: 'here', language: '' }
    expect(
      await CHECKS.vue?.({
        ...block,
        text: '<script setup>const a = 1</script><template><p></template>',
      }),
    ).not.toEqual([])
    expect(await CHECKS.js?.({ ...block, text: 'const = 1' })).not.toEqual([])
    expect(() => CHECKS.svelte?.({ ...block, text: '{#if x}' })).toThrow('Block was left open')
  })
})

describe('every document', () => {
  it('links only to existing files and headings', () => {
    const isThere = (path: string): boolean =>
      files.some((file) => file === path || file.startsWith(`${path}/`))
    expect(documents.flatMap((document) => deadLinks(document, documents, isThere))).toEqual([])
  })

  it('names only existing files', () => {
    const folders = /^(backends|client|contract|openapi|prisma|server)\/[\w./-]*$/
    const missing = documents.flatMap(({ path, codes }) =>
      codes
        .filter((code) => folders.test(code))
        .filter(
          (code) =>
            !files.some((file) => file === code || file.startsWith(`${code.replace(/\/$/, '')}/`)),
        )
        .map((code) => `${path}: ${code}`),
    )
    expect(missing).toEqual([])
  })

  it('names only existing commands', () => {
    const wrong = documents.flatMap(({ path, codes }) =>
      codes
        .filter((code) => /^(netscript|npm) \w/.test(code))
        .flatMap(checkMention)
        .map((message) => `${path}: ${message}`),
    )
    expect(wrong).toEqual([])
  })

  it('names only variables that the service reads', () => {
    const prefixes = presetNames.map(variablePrefix)
    const isKnown = (name: string): boolean =>
      name in VARIABLES ||
      prefixes.some((prefix) => name.replace(prefix, 'NETSCRIPT_AUTH_') in VARIABLES)
    const unknown = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/\b(NETSCRIPT|OTEL)_[A-Z_]+\b(?!<)/g)]
        .map(([name]) => name)
        .filter((name) => !isKnown(name))
        .map((name) => `${path}: ${name}`),
    )
    expect(unknown).toEqual([])
  })
})
