import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inspect } from 'node:util'
import { betterAuthLogger, databaseCall } from './database-call.js'
import { startTestServer, type TestServer } from './testing/server.js'

describe('databaseCall', () => {
  let server: TestServer<[]>
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.close())

  const failure = (operation: () => Promise<unknown>) =>
    databaseCall(operation).catch((error: unknown) => error)

  it('returns the result of the operation', async () => {
    expect(await databaseCall(() => server.prisma.authSession.count())).toBe(0)
  })

  it('keeps the reason for the log, without the arguments of the query', async () => {
    const where = { token: 'the-token', nothing: 'like this' }
    const error = await failure(async () => {
      try {
        await server.prisma.authSession.findFirst({ where })
      } catch (cause) {
        throw Object.assign(new Error('wrapped', { cause }), { body: { cause } })
      }
    })
    expect(error).toMatchObject({
      code: 'INTERNAL',
      cause: { name: 'PrismaClientValidationError' },
    })
    const shown = inspect(error, { depth: 10 })
    expect(shown).toContain('Unknown argument `nothing`')
    expect(shown).not.toContain('the-token')
  })

  it('keeps the error code', async () => {
    const error = await failure(() =>
      server.prisma.authSession.create({
        data: { id: 'id', token: 'the-token', userId: 'nobody', expiresAt: new Date() },
      }),
    )
    expect(error).toMatchObject({ code: 'INTERNAL', cause: { cause: { code: 'P2003' } } })
    expect(inspect(error, { depth: 10 })).not.toContain('the-token')
  })
})

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
