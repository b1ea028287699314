import { expect, it } from 'vitest'
import { printable } from './log.js'

it.each([
  ['The redirect_uri is not registered.', 'The redirect_uri is not registered.'],
  ['a\u0000b\r\nc\u001b[31md\u2028e\u202ef', 'a b c [31md e f'],
  ['Ungültiger Wert „x“', 'Ungültiger Wert „x“'],
  ['code SplxlOBeZQQYbYS6WxSbIA was used', 'code … was used'],
  ['token eyJhbGciOiJub25lIn0.e30.c2ln', 'token …'],
  ['secret=GOCSPX-a1b2c3d4e5f6g7h8i9', '…'],
  ['no user ada@example.test here', 'no user … here'],
  [
    'AADSTS7000215: Trace ID: 0f8fad5b-d9cb-469f-a165-70867728950e',
    'AADSTS7000215: Trace ID: 0f8fad5b-d9cb-469f-a165-70867728950e',
  ],
  ['unsupported_response_type', 'unsupported_response_type'],
  [`${'x '.repeat(5000)}`, 'x '.repeat(128).trim()],
])('sanitizes %j for a log', (text, expected) => {
  expect(printable(text)).toBe(expected)
})
