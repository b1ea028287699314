import { expect, it } from 'vitest'
import { betterAuthLogger } from './logger.js'

it('logs the message without attached objects', () => {
  const lines: unknown[] = []
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push([level, fields, message])
  const { log } = betterAuthLogger({
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  })
  const error = Object.assign(new TypeError('the-token'), { code: 'P2025' })
  log?.('error', 'INTERNAL_SERVER_ERROR\nwhere: the-token', error, { email: 'ada@example.com' })
  log?.('warn', 'x'.repeat(300), 'ada@example.com')
  log?.('debug', 'hello')
  log?.(
    'error',
    '\nInvalid `prisma.authSession.findFirst()` invocation:\n  token: "the-token"\nThe table is missing.',
  )
  log?.('error', '', error)
  log?.('error', '')
  log?.('error', error as never)
  const prisma = Object.assign(new Error('\nwhere: the-token\nThe table is missing.'), {
    name: 'PrismaClientKnownRequestError',
    code: 'P2021',
  })
  log?.('error', 'INTERNAL_SERVER_ERROR', prisma)
  expect(lines).toEqual([
    [
      'error',
      { backend: 'better-auth', error: 'TypeError', code: 'P2025' },
      'better-auth: INTERNAL_SERVER_ERROR',
    ],
    ['warn', { backend: 'better-auth' }, `better-auth: ${'x'.repeat(200)}`],
    ['info', { backend: 'better-auth' }, 'better-auth: hello'],
    [
      'error',
      { backend: 'better-auth' },
      'better-auth: Invalid `prisma.authSession.findFirst()` invocation:',
    ],
    [
      'error',
      { backend: 'better-auth', error: 'TypeError', code: 'P2025' },
      'better-auth: TypeError',
    ],
    ['error', { backend: 'better-auth' }, 'better-auth: an unnamed failure'],
    [
      'error',
      { backend: 'better-auth', error: 'TypeError', code: 'P2025' },
      'better-auth: TypeError',
    ],
    [
      'error',
      {
        backend: 'better-auth',
        error: 'PrismaClientKnownRequestError',
        code: 'P2021',
        reason: 'The table is missing.',
      },
      'better-auth: INTERNAL_SERVER_ERROR',
    ],
  ])
})
