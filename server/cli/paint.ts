import { styleText } from 'node:util'

/** Puts a colour on a text. */
export type Paint = (style: 'green' | 'red' | 'yellow', text: string) => string

/** For pipes and files. */
export const plain: Paint = (_style, text) => text

/** Colours on a terminal that has them; NO_COLOR is kept. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  // Absent where the stream is no terminal; reads NO_COLOR itself.
  return stream.isTTY && stream.hasColors() ? styleText : plain
}
