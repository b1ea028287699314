import { AuthConfigurationError } from '@netscript/plugin-auth-core'

/**
 * Decodes a hand-edited file: UTF-8, or UTF-16 with a byte order mark, as some Windows editors and shells
 * write it. The mark is removed.
 *
 * @throws AuthConfigurationError that names the file when it is neither.
 */
export function decodeText(bytes: Uint8Array, file: string): string {
  try {
    const text = new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes)
    // NUL characters mean UTF-16 without a mark, or UTF-32.
    if (!text.includes('\0')) return text
  } catch (cause) {
    throw notText(file, cause)
  }
  throw notText(file)
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  return 'utf-8'
}

const notText = (file: string, cause?: unknown): AuthConfigurationError =>
  new AuthConfigurationError(`${file} is not UTF-8 text. Save it as UTF-8.`, { cause })
