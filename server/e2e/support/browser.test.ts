import { expect, it } from 'vitest'
import { findChromium } from './browser.js'

it('takes the browser that it is told', () => {
  expect(findChromium({ CHROMIUM_PATH: '/opt/my-chromium' })).toBe('/opt/my-chromium')
})

it('takes an empty variable for none', () => {
  expect(findChromium({ CHROMIUM_PATH: '' })).toBe(findChromium({}))
})
