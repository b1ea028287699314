import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeyring, type Keyring } from '../../keyring.js'
import type { ProviderTokenStore, SessionStore, TokenSession } from '../session-store.js'
import { sessionRecord } from './session-store-suite.js'

/** A store under test, and what the suite needs besides the port. */
export interface ProviderTokenStoreUnderTest {
  tokens(keyring: Keyring): ProviderTokenStore
  /** The sessions of the tokens. */
  sessions: SessionStore
  /** Creates an enabled user and returns the id. */
  createUser(): Promise<string>
  /** The stored token fields of a session and provider. */
  stored(session: TokenSession, of: string): Promise<Record<string, string | null>>
  /** Changes stored fields without the store. */
  overwrite(session: TokenSession, of: string, fields: Record<string, string>): Promise<void>
  close(): Promise<void>
}

const TOKENS = {
  accessToken: 'access-secret',
  refreshToken: 'refresh-secret',
  idToken: 'id-secret',
  expiresAt: 1_800_000_000_123,
  scopes: ['openid', 'https://scopes.example/read'],
}
const RENEWED = { accessToken: 'renewed', scopes: [] }

/** The suite for every {@link ProviderTokenStore}. */
export function providerTokenStoreSuite(
  name: string,
  make: () => Promise<ProviderTokenStoreUnderTest>,
): void {
  describe(`ProviderTokenStore: ${name}`, () => {
    let sut: ProviderTokenStoreUnderTest
    const ring = createKeyring([randomBytes(32)])
    const store = (keyring = ring): ProviderTokenStore => sut.tokens(keyring)
    const newSession = async (): Promise<TokenSession> => {
      const record = sessionRecord(await sut.createUser(), { providerId: 'local' })
      await sut.sessions.create(record)
      return record
    }
    beforeAll(async () => {
      sut = await make()
    })
    afterAll(() => sut.close())

    describe.each([
      ['of the sign-in', 'local'],
      ['of a linked account', 'other'],
    ])('%s', (_name, of) => {
      it('stores tokens sealed and returns them', async () => {
        const session = await newSession()
        await store().save(session, of, TOKENS)
        expect(await store().read(session, of)).toEqual(TOKENS)
        const stored = await sut.stored(session, of)
        expect(Object.keys(stored)).toEqual(expect.arrayContaining(['access_token', 'id_token']))
        expect(JSON.stringify(stored)).not.toMatch(/secret/)
      })

      it('stores no tokens of an ended session, and deletes them with it', async () => {
        const session = await newSession()
        await store().save(session, of, TOKENS)
        await sut.sessions.revoke(session.id, 'signed-out')
        expect(await store().read(session, of)).toBeUndefined()
        expect(await sut.stored(session, of)).toEqual({})
        expect(await store().replace(session, of, TOKENS)).toBe(false)
        await store().save(session, of, TOKENS)
        expect(await store().read(session, of)).toBeUndefined()
        expect(await store().lease(session, of, 60_000)).toBeUndefined()
        expect((await store().readLinked(session)).size).toBe(0)
      })

      it('does not open a token that was moved to another session, provider or field', async () => {
        const [mine, theirs] = [await newSession(), await newSession()]
        await store().save(mine, of, { accessToken: 'mine' })
        await store().save(theirs, of, TOKENS)
        await store().save(mine, 'third', TOKENS)
        const { access_token: own } = await sut.stored(mine, of)
        const { refresh_token: foreign } = await sut.stored(theirs, of)
        await sut.overwrite(mine, of, {
          access_token: foreign!,
          refresh_token: own!,
          id_token: foreign!,
        })
        expect(await store().read(mine, of)).toEqual({})
      })

      it('leases to exactly one caller, until the lease is released or expires', async () => {
        const session = await newSession()
        await store().save(session, of, TOKENS)
        const attempts = Array.from({ length: 20 }, () => store().lease(session, of, 60_000))
        const leases = await Promise.all(attempts)
        expect(leases.filter(Boolean)).toEqual([{ ...TOKENS, abandoned: false }])
        expect(await store().replace(session, of, RENEWED)).toBe(true)
        expect(await store().lease(session, of, -1)).toEqual({ ...RENEWED, abandoned: false })
        expect(await store().lease(session, of, 60_000)).toEqual({ ...RENEWED, abandoned: true })
        expect(await store().lease(session, of, 60_000)).toBeUndefined()
        await store().release(session, of)
        expect(await store().lease(session, of, 60_000)).toEqual({ ...RENEWED, abandoned: false })
      })

      it('opens tokens with an old key, and seals with the new one', async () => {
        const fresh = randomBytes(32)
        const rotated = createKeyring([fresh, ...ring.secrets])
        const session = await newSession()
        await store().save(session, of, TOKENS)
        expect(await store(rotated).read(session, of)).toEqual(TOKENS)
        await store(rotated).lease(session, of, 60_000)
        await store(rotated).replace(session, of, TOKENS)
        expect(await store(createKeyring([fresh])).read(session, of)).toEqual(TOKENS)
        const { expiresAt, scopes } = TOKENS
        expect(await store().read(session, of)).toEqual({ expiresAt, scopes })
      })
    })

    it('keeps the tokens of each provider apart', async () => {
      const session = await newSession()
      for (const of of ['local', 'other', 'third']) {
        await store().save(session, of, { accessToken: `of ${of}`, scopes: [of] })
      }
      await store().lease(session, 'other', 60_000)
      await store().replace(session, 'other', RENEWED)
      expect(await store().lease(session, 'third', 60_000)).toMatchObject({ abandoned: false })
      expect(await store().read(session, 'local')).toMatchObject({ accessToken: 'of local' })
      expect(await store().readLinked(session)).toEqual(
        new Map([
          ['other', RENEWED],
          ['third', { accessToken: 'of third', scopes: ['third'] }],
        ]),
      )
      await store().forget(session, 'other')
      expect(await store().read(session, 'other')).toBeUndefined()
      expect(await store().lease(session, 'other', 60_000)).toBeUndefined()
      expect(await store().read(session, 'third')).toMatchObject({ accessToken: 'of third' })
      await store().forget(session, 'local')
      expect(await store().read(session, 'local')).toMatchObject({ accessToken: 'of local' })
    })

    it('replaces the tokens of an account that is linked again, also while they are renewed', async () => {
      const session = await newSession()
      await store().save(session, 'other', TOKENS)
      await store().lease(session, 'other', 60_000)
      await store().save(session, 'other', { accessToken: 'linked again', scopes: ['more'] })
      expect(await store().replace(session, 'other', RENEWED)).toBe(false)
      expect(await store().read(session, 'other')).toEqual({
        accessToken: 'linked again',
        scopes: ['more'],
      })
      expect(await store().lease(session, 'other', 60_000)).toMatchObject({ abandoned: false })
    })

    it('returns the tokens that an earlier version stored, without scopes and expiry', async () => {
      const session = await newSession()
      const { expiresAt: _, scopes: __, ...old } = TOKENS
      await store().save(session, 'local', old)
      expect(await store().read(session, 'local')).toEqual(old)
    })
  })
}
