import { displayWidth, graphemes } from './display-width.js'

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
