import { stripVTControlCharacters } from 'node:util'

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** East Asian wide and fullwidth characters (UAX #11), and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18fff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u

/** Splits text into grapheme clusters: combining marks stay with their letter. */
export const graphemes = (text: string): string[] =>
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
