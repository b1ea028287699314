import { expect, it } from 'vitest'
import { stylesheet } from './assets.js'

/** The colours of a block of custom properties. */
function colours(block: string): Map<string, string> {
  return new Map(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  )
}

/** WCAG 2.2, relative luminance. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

const blocks = [...stylesheet.text.matchAll(/:root \{([^}]+)\}/g)].map(([, block = '']) =>
  colours(block),
)

it('has a light and a dark set of the same colours', () => {
  const [light, dark] = blocks
  expect(blocks).toHaveLength(2)
  expect([...(dark?.keys() ?? [])]).toEqual([...(light?.keys() ?? [])])
})

it.each([
  ['text', 'ground', 4.5],
  ['text', 'card', 4.5],
  ['text', 'tint', 4.5],
  ['text', 'notice', 4.5],
  ['quiet', 'ground', 4.5],
  ['quiet', 'card', 4.5],
  ['quiet', 'tint', 4.5],
  ['quiet', 'notice', 4.5],
  ['accent', 'ground', 4.5],
  ['accent', 'card', 4.5],
  ['accent', 'tint', 4.5],
  ['on-accent', 'accent', 4.5],
  ['on-accent', 'accent-hover', 4.5],
  ['control-line', 'card', 3],
])('%s on %s can be read (WCAG 2.2 AA)', (foreground, background, minimum) => {
  for (const block of blocks) {
    const [a = '', b = ''] = [block.get(foreground), block.get(background)]
    expect(contrast(a, b)).toBeGreaterThanOrEqual(minimum)
  }
})

it('asks for nothing from elsewhere', () => {
  expect(stylesheet.text).not.toMatch(/url\(|@import/)
})
