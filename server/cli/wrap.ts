import { Help } from 'commander'

/** Stands for a space that no line may break at. */
const GLUE = '\u{E000}'

/** Breaks lines between words, but not within a command that somebody may copy. */
export function wrap(text: string, width = 80): string {
  const glued = text.replace(/node -e "[^"]*"/g, (command) => command.replaceAll(' ', GLUE))
  return new Help().boxWrap(glued, width).replaceAll(GLUE, ' ')
}
