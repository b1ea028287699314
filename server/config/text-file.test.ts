import { describe, expect, it } from 'vitest'
import { decodeText } from './text-file.js'

const TEXT = 'DATABASE_URL=postgres://db/ä\r\n'
const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16()

describe('decodeText', () => {
  it.each([
    ['UTF-8', Buffer.from(TEXT)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${TEXT}`)],
    ['UTF-16 in little endian', Buffer.from(`\ufeff${TEXT}`, 'utf16le')],
    ['UTF-16 in big endian', utf16be(`\ufeff${TEXT}`)],
  ])('reads %s', (_name, bytes) => {
    expect(decodeText(bytes, '.env')).toBe(TEXT)
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a byte order mark alone', Buffer.from('\ufeff')],
  ])('reads %s as an empty text', (_name, bytes) => {
    expect(decodeText(bytes, '.env')).toBe('')
  })

  it.each([
    ['UTF-16 without its mark', Buffer.from(TEXT, 'utf16le')],
    ['UTF-16 in big endian without its mark', utf16be(TEXT)],
    ['half of UTF-16', Buffer.from(`\ufeff${TEXT}`, 'utf16le').subarray(0, -1)],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x41, 0, 0, 0])],
    ['Latin-1', Buffer.from(TEXT, 'latin1')],
    ['a binary file', Buffer.from([0x50, 0x4b, 0x03, 0x04, 0xff, 0x00])],
  ])('rejects %s, naming the file but none of its content', (_name, bytes) => {
    expect(() => decodeText(bytes, '.env')).toThrow('.env is not UTF-8 text. Save it as UTF-8.')
  })
})
