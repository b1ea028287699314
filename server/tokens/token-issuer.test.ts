import { randomBytes } from 'node:crypto'
import { decodeJwt } from 'jose'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeyring } from '../../backends/keyring.js'
import type { AuthSession } from '../../contract/session.js'
import { createPool } from '../../prisma/pool.js'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { createTokenIssuer, type TokenIssuer } from './token-issuer.js'

const AUDIENCE = 'https://orders.example'
let database: TestDatabase
let pool: PostgresPool
let tokens: TokenIssuer
beforeAll(async () => {
  database = await createTestDatabase()
  pool = createPool(database.url)
  tokens = createTokenIssuer({
    pool,
    keyring: createKeyring([randomBytes(32)]),
    origin: 'https://auth.example',
    audiences: [AUDIENCE],
  })
  await tokens.maintain()
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})

const sessionFor = (seconds: number): AuthSession => ({
  ...{ id: 's1', userId: 'u1', subject: 'ada', state: 'active', scopes: [], roles: [], claims: {} },
  issuedAt: new Date().toISOString(),
  expiresAt: new Date(Date.now() + seconds * 1000).toISOString(),
})

describe('the lifetime of a token', () => {
  it.each([
    ['five minutes, of a session that lives longer', 3_600, 300],
    ['that of a session that ends sooner', 60, 60],
  ])('is %s', async (_what, sessionSeconds, expected) => {
    const session = sessionFor(sessionSeconds)
    const { token, expiresAt } = await tokens.issue(session, AUDIENCE)
    const { iat = 0, exp = 0 } = decodeJwt(token)
    expect(exp - iat).toBeGreaterThan(expected - 3)
    expect(exp - iat).toBeLessThanOrEqual(expected)
    expect(exp * 1000).toBeLessThanOrEqual(Date.parse(session.expiresAt))
    expect(Date.parse(expiresAt)).toBe(exp * 1000)
  })
})

describe('when and how the user authenticated', () => {
  it.each([
    [
      { authTime: '1970-01-01T00:16:40.500Z', acr: 'mfa' },
      { auth_time: 1000, acr: 'mfa' },
    ],
    [{ claims: { auth_time: 1, acr: 'claimed' } }, {}],
  ])('is in the token if the session has it: %j', async (session, expected) => {
    const { token } = await tokens.issue({ ...sessionFor(60), ...session }, AUDIENCE)
    const { auth_time, acr } = decodeJwt(token)
    const found = {
      ...(auth_time !== undefined && { auth_time }),
      ...(acr !== undefined && { acr }),
    }
    expect(found).toEqual(expected)
  })
})
