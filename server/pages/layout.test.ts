import { describe, expect, it } from 'vitest'
import { initials } from './layout.js'

describe('initials', () => {
  it.each([
    ['Ada Lovelace', 'AL'],
    ['Ada King, Countess of Lovelace', 'AL'],
    ['ada@example.test', 'A'],
    ['  émile   zola ', 'ÉZ'],
    ['𠮷野 家', '𠮷家'],
    ['"><script>', 'S'],
    ['\u202e', '?'],
    ['', '?'],
  ])('of %j are %s', (name, expected) => {
    expect(initials(name)).toBe(expected)
  })
})
