import { describe, expect, it } from 'vitest'
import { displayWidth, WIDTH } from './terminal.js'
import { free, record, table } from './table.js'

const ID = '8f14e45f-ceea-467f-a0e6-1234567890ab'
const SESSION_ID = 'x'.repeat(43)
const LONG_ID = 'i'.repeat(120)

const widest = (text: string): number => Math.max(...text.split('\n').map(displayWidth))

describe('displayWidth', () => {
  it.each([
    ['Ada', 3],
    ['', 0],
    ['山田太郎', 8],
    ['한국어', 6],
    ['ｱｲｳ', 3],
    ['ＡＢＣ', 6],
    ['e\u0301', 1],
    ['👩‍💻', 2],
    ['🇯🇵', 2],
    ['\u001b[32mok\u001b[39m', 2],
    ['2001:db8::1', 11],
  ])('of %s is %i', (text, width) => {
    expect(displayWidth(text)).toBe(width)
  })
})

describe('table', () => {
  it('has columns when they fit', () => {
    expect(
      table(
        ['ID', 'NAME'],
        [
          ['a', free('山田')],
          ['bb', 'Ada'],
        ],
      ),
    ).toBe('ID  NAME\na   山田\nbb  Ada')
    expect(table(['A', 'B'], [['山', 'x']])).toBe('A   B\n山  x')
  })

  it('has a record per row when columns do not fit', () => {
    expect(
      table(
        ['USER ID', 'NAME'],
        [
          [ID, free(`${'Ada '.repeat(20)}Lovelace`)],
          [ID, free('')],
        ],
      ),
    ).toBe(
      [
        `USER ID  ${ID}`,
        `NAME     ${'Ada '.repeat(18).trim()}`,
        '         Ada Ada Lovelace',
        '',
        `USER ID  ${ID}`,
        'NAME',
      ].join('\n'),
    )
  })

  it.each([
    [
      'a long name',
      'Pablo Diego José Francisco de Paula Juan Nepomuceno María de los Remedios Ruiz',
    ],
    ['one long word', 'x'.repeat(300)],
    ['East Asian wide characters', '日本電信電話株式会社'.repeat(12)],
    ['combining marks', 'e\u0301'.repeat(200)],
    ['emoji', '👩‍💻'.repeat(100)],
    [
      'the name of a browser',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    ],
    ['IPv6 addresses', '2001:0db8:85a3:0000:0000:8a2e:0370:7334, '.repeat(6)],
  ])('fits 80 columns and loses nothing of %s', (_what, text) => {
    const shown = table(['SESSION', 'BROWSER'], [[SESSION_ID, free(text)]])
    expect(widest(shown)).toBeLessThanOrEqual(WIDTH)
    expect(shown.replace(/^SESSION.*\nBROWSER/, '').replaceAll(/\s/g, '')).toBe(
      text.replaceAll(/\s/g, ''),
    )
    expect(shown).toContain(SESSION_ID)
  })

  it('breaks no id, however long it is', () => {
    const shown = table(['USER ID', 'NAME'], [[LONG_ID, free('Ada')]])
    expect(shown).toBe(`USER ID\n${LONG_ID}\nNAME     Ada`)
    expect(record(['Account'], [`google: ${LONG_ID}`])).toBe(`Account  google:\n${LONG_ID}`)
  })
})
