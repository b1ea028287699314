import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import GithubSlugger from 'github-slugger'
import { lexer, type Token, walkTokens } from 'marked'

/** Where the repository is, with a slash at the end. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** An address of the repository online, by which packed documents link beyond their package. */
const ONLINE = /^https:\/\/github\.com\/netscript\/plugin-auth\/(?:blob|tree|raw)\/main\//

/** A fenced block. */
export interface Block {
  /** Where it begins, such as `README.md:12`. */
  readonly at: string
  readonly document: string
  /** What stands behind the fence; empty for nothing. */
  readonly language: string
  readonly text: string
}

/** A Markdown file. */
export interface Document {
  /** Its path from the root. */
  readonly path: string
  readonly text: string
  readonly blocks: readonly Block[]
  /** Where its links and pictures lead. */
  readonly links: readonly string[]
  /** What stands in backquotes. */
  readonly codes: readonly string[]
  /** What `#` leads to. */
  readonly anchors: ReadonlySet<string>
}

/** The files of the repository, those that are not committed yet included. */
export async function repositoryFiles(): Promise<readonly string[]> {
  const options = ['--cached', '--others', '--exclude-standard', '--deduplicate']
  const { stdout } = await promisify(execFile)('git', ['ls-files', ...options], { cwd: ROOT })
  return stdout.split('\n').filter(Boolean)
}

/** Reads a Markdown file of the repository, or below another directory. */
export async function readDocument(path: string, root = ROOT): Promise<Document> {
  const text = await readFile(posix.join(root, path), 'utf8')
  const slugger = new GithubSlugger()
  const blocks: Block[] = []
  const links: string[] = []
  const codes: string[] = []
  const anchors = new Set<string>()
  let from = 0
  const see = (token: Token): void => {
    if (token.type === 'code') {
      from = Math.max(from, text.indexOf(token.raw.split('\n')[0] ?? '', from))
      const at = `${path}:${text.slice(0, from).split('\n').length}`
      from += token.raw.length
      const { lang = '', text: code } = token as { lang?: string; text: string }
      blocks.push({ at, document: path, language: lang, text: `${code}\n` })
    }
    if (token.type === 'codespan') codes.push((token as { text: string }).text)
    if (token.type === 'heading') anchors.add(slugger.slug(plainText(token)))
    if (token.type === 'link' || token.type === 'image')
      links.push((token as { href: string }).href)
  }
  void walkTokens(lexer(text), see)
  return { path, text, blocks, links, codes, anchors }
}

function plainText(token: Token): string {
  const { tokens, text } = token as { tokens?: Token[]; text?: string }
  return tokens ? tokens.map(plainText).join('') : (text ?? '')
}

/**
 * The links of a document that lead to no file or heading. `documents` are those that links lead to;
 * `isThere` decides on other paths. Links to other sites are not followed.
 */
export function deadLinks(
  { path, links }: Document,
  documents: readonly Document[],
  isThere: (path: string) => boolean,
): string[] {
  return links
    .filter((link) => !/^(https?|mailto):/.test(link) || ONLINE.test(link))
    .filter((link) => {
      const [file = '', anchor] = link.replace(ONLINE, '/').split('#')
      const target = file === '' ? path : posix.resolve('/', posix.dirname(path), file).slice(1)
      if (anchor === undefined) return !isThere(target)
      return !documents.find((one) => one.path === target)?.anchors.has(anchor)
    })
    .map((link) => `${path}: ${link}`)
}
