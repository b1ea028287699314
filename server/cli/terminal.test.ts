import { describe, expect, it } from 'vitest'
import { displayWidth, wrap } from './terminal.js'

const widest = (text: string): number => Math.max(...text.split('\n').map(displayWidth))

describe('wrap', () => {
  it.each([
    'node -e "console.log(crypto.randomBytes(32).toString(\'base64url\'))"',
    '"netscript auth provider set google --client-id <id>"',
    '`netscript db migrate --name remove_auth`',
  ])('breaks between words, and keeps a command whole: %s', (command) => {
    const text = wrap(`${'word '.repeat(14)}Run ${command}`)
    expect(widest(text)).toBeLessThanOrEqual(80)
    expect(text.split('\n').at(-1)).toBe(command)
  })

  it('keeps the indentation of a line that goes on', () => {
    expect(wrap(`  ${'word '.repeat(20).trim()}`)).toBe(
      `  ${'word '.repeat(15).trim()}\n  ${'word '.repeat(5).trim()}`,
    )
  })

  it('counts wide characters twice', () => {
    expect(wrap('山 '.repeat(40).trim()).split('\n')).toHaveLength(2)
  })

  it('leaves a URL whole, and takes its indentation where it would not fit otherwise', () => {
    const url = `https://auth.example/${'x'.repeat(58)}`
    expect(wrap(`  ${url}`)).toBe(` ${url}`)
    expect(wrap(`  ${url}${url}`)).toBe(`${url}${url}`)
  })

  it('does not count colours', () => {
    const green = `\u001b[32m${'x'.repeat(40)} ${'x'.repeat(39)}\u001b[39m`
    expect(wrap(green)).toBe(green)
  })
})
