import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inspect } from 'node:util'
import { databaseCall } from './database-call.js'
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
