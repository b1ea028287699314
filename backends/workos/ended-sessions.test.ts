import { expect, it } from 'vitest'
import { createEndedSessions } from './ended-sessions.js'

const DAY = 24 * 60 * 60 * 1000

it('remembers an ended session for a day', () => {
  let now = 0
  const ended = createEndedSessions(() => now)
  ended.add('a')
  now = DAY - 1
  ended.add('b')
  expect([ended.has('a'), ended.has('b')]).toEqual([true, true])
  now = DAY
  ended.add('c')
  expect([ended.has('a'), ended.has('b'), ended.has('c')]).toEqual([false, true, true])
})

it('keeps a bounded number of sessions', () => {
  const ended = createEndedSessions()
  for (let index = 0; index <= 50_000; index += 1) ended.add(String(index))
  expect([ended.has('0'), ended.has('1'), ended.has('50000')]).toEqual([false, true, true])
})
