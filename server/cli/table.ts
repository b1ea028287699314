import { displayWidth, fold, padTo, WIDTH, wrap } from './terminal.js'

/** A cell; `free` text may be broken anywhere, any other is kept whole so that it can be copied. */
export type Cell = string | { readonly free: string }

/** Free text, such as a name. */
export const free = (text: string): Cell => ({ free: text })

const textOf = (cell: Cell | undefined): string =>
  typeof cell === 'object' ? cell.free : (cell ?? '')

/** Formats rows below titles. When they are too wide for a terminal, each row becomes a {@link record}. */
export function table(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [titles, ...rows]
  const widths = titles.map((_, column) =>
    Math.max(...lines.map((line) => displayWidth(textOf(line[column])))),
  )
  const isNarrow = widths.reduce((sum, width) => sum + width + 2, -2) <= WIDTH
  if (!isNarrow) return rows.map((row) => record(titles, row)).join('\n\n')
  return lines
    .map((line) =>
      widths
        .map((width, column) => padTo(textOf(line[column]), width))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Formats a title and a value on each line; a long value continues below itself. */
export function record(titles: readonly string[], cells: readonly Cell[]): string {
  const indent = Math.max(...titles.map(displayWidth)) + 2
  return titles
    .map((title, at) => {
      const cell = cells[at]
      const room = WIDTH - indent
      const text = typeof cell === 'object' ? fold(cell.free, room) : wrap(cell ?? '', room)
      const [first = '', ...rest] = text.split('\n')
      // A word that does not fit gets a line of its own.
      const start = displayWidth(first) > room ? `${title}\n${first}` : padTo(title, indent) + first
      const others = rest.map((line) =>
        displayWidth(line) > room ? line : ' '.repeat(indent) + line,
      )
      return [start.trimEnd(), ...others].join('\n')
    })
    .join('\n')
}
