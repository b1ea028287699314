import { styleText } from 'node:util'

/** Colours a text. */
export type Paint = (style: 'green' | 'red' | 'yellow', text: string) => string

/** For pipes and files. */
export const plain: Paint = (_style, text) => text

/** Colours on a terminal that supports them; respects NO_COLOR. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  // hasColors exists on terminals only, and reads NO_COLOR itself.
  return stream.isTTY && stream.hasColors() ? styleText : plain
}
