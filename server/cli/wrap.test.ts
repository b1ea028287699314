import { expect, it } from 'vitest'
import { wrap } from './wrap.js'

it('breaks between words, and keeps a command whole', () => {
  const command = 'node -e "console.log(crypto.randomBytes(32).toString(\'base64url\'))"'
  const lines = wrap(`${'word '.repeat(20)}Make one with: ${command}`).split('\n')
  expect(lines.filter((line) => line.length > 80)).toEqual([])
  expect(lines.at(-1)).toBe(command)
})
