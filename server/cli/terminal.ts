import { stripVTControlCharacters, styleText } from 'node:util'
import { AuthBackendNotFoundError, AuthConfigurationError } from '@netscript/plugin-auth-core'

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** East Asian wide and fullwidth characters (UAX #11), and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18fff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u

/** Splits text into grapheme clusters: combining marks stay with their letter. */
const graphemes = (text: string): string[] =>
  [...GRAPHEMES.segment(text)].map(({ segment }) => segment)

/** Number of terminal columns that a text takes; colour sequences take none. */
export function displayWidth(text: string): number {
  const shown = stripVTControlCharacters(text)
  if (/^[\x20-\x7e]*$/.test(shown)) return shown.length
  return graphemes(shown).reduce((sum, one) => sum + (WIDE.test(one) ? 2 : 1), 0)
}

/** Pads a text with spaces to a width. */
export const padTo = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - displayWidth(text)))

/** Terminal width, in columns, that readable output must fit. */
export const WIDTH = 80

/** Commands, which stay on one line when they fit, so that they can be copied. */
const COMMAND = /`[^`\n]+`|"netscript [^"\n]+"|node -e "[^"\n]*"/g

/** Stands for a non-breaking space. */
const GLUE = '\u{E000}'

/**
 * Breaks lines between words; a continuation keeps the indentation of its line. Longer words, such as ids
 * and URLs, stay whole, so that they can be copied.
 */
export function wrap(text: string, width = WIDTH): string {
  return text
    .split('\n')
    .flatMap((line) => wrapLine(line, width))
    .join('\n')
}

function wrapLine(line: string, width: number): string[] {
  if (displayWidth(line) <= width) return [line]
  const [indent = ''] = /^ */.exec(line) ?? []
  const glued = line
    .trimStart()
    .replace(COMMAND, (command) =>
      displayWidth(indent + command) <= width ? command.replaceAll(' ', GLUE) : command,
    )
  const lines: string[] = []
  for (const word of glued.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && displayWidth(`${last} ${word}`) <= width) {
      lines[lines.length - 1] = `${last} ${word}`
    } else {
      const room = Math.max(0, width - displayWidth(word))
      lines.push(indent.slice(0, room) + word)
    }
  }
  return lines.map((each) => each.trimEnd().replaceAll(GLUE, ' '))
}

/** Like {@link wrap}, but also breaks longer words, for text that is not copied. */
export function fold(text: string, width: number): string {
  const words = text.split(' ').map((word) => chop(word, width).join(' '))
  return wrap(words.join(' '), width)
}

function chop(word: string, width: number): string[] {
  if (displayWidth(word) <= width) return [word]
  const pieces = ['']
  for (const grapheme of graphemes(word)) {
    const last = pieces.at(-1) ?? ''
    if (displayWidth(last + grapheme) <= width) pieces[pieces.length - 1] = last + grapheme
    else pieces.push(grapheme)
  }
  return pieces
}

/** Prints readable text, at most 80 columns wide. */
export function print(text: string): void {
  console.log(wrap(text))
}

/** Colours a text. */
export type Paint = (style: 'green' | 'red' | 'yellow', text: string) => string

/** For pipes and files. */
export const plain: Paint = (_style, text) => text

/** Colours on a terminal that supports them; respects NO_COLOR. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  // hasColors exists on terminals only, and reads NO_COLOR itself.
  return stream.isTTY && stream.hasColors() ? styleText : plain
}

/**
 * Asks for confirmation before an irreversible action. `--yes` skips the question and is required without
 * a terminal.
 * @throws AuthConfigurationError when the action was not confirmed.
 */
export async function confirm(question: string, { yes }: { yes?: boolean }): Promise<void> {
  if (yes) return
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new AuthConfigurationError(`${question} Pass --yes to confirm.`)
  }
  const prompts = await import('@clack/prompts')
  const answer = await prompts.confirm({ message: question, initialValue: false })
  if (answer !== true) throw new AuthConfigurationError('Nothing was done.')
}

/**
 * Prints why a command failed and sets the exit code. A configuration error is printed with its fix; any
 * other error with its causes, and with its stack when NETSCRIPT_DEBUG is set.
 */
export function reportFailure(error: unknown): void {
  process.exitCode = 1
  if (error instanceof AuthConfigurationError || error instanceof AuthBackendNotFoundError) {
    complain(error.message)
    return
  }
  complain(causes(error).join('\n  because: '))
  if (process.env.NETSCRIPT_DEBUG && error instanceof Error) console.error(error.stack)
}

/** Wraps lines on a terminal only; in a pipe they stay whole, so that grep works. */
function complain(message: string): void {
  const text = `netscript: ${message}`
  console.error(process.stderr.isTTY ? wrap(text) : text)
}

function causes(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  return [error.message || error.name, ...(error.cause === undefined ? [] : causes(error.cause))]
}
