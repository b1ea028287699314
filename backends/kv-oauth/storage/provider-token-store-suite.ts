import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeyring, type Keyring } from '../../keyring.js'
import type { ProviderTokenStore, SessionStore } from '../session-store.js'
import { sessionRecord } from './session-store-suite.js'

/** A store under test, and what the suite needs besides the port. */
export interface ProviderTokenStoreUnderTest {
  tokens(keyring: Keyring): ProviderTokenStore
  /** The sessions of the tokens. */
  sessions: SessionStore
  /** Creates an enabled user and returns the id. */
  createUser(): Promise<string>
  /** The stored token fields of a session. */
  stored(sessionId: string): Promise<Record<string, string | null>>
  /** Changes stored fields without the store. */
  overwrite(sessionId: string, fields: Record<string, string>): Promise<void>
  close(): Promise<void>
}

const TOKENS = {
  accessToken: 'access-secret',
  refreshToken: 'refresh-secret',
  idToken: 'id-secret',
}

/** The suite for every {@link ProviderTokenStore}. */
export function providerTokenStoreSuite(
  name: string,
  make: () => Promise<ProviderTokenStoreUnderTest>,
): void {
  describe(`ProviderTokenStore: ${name}`, () => {
    let sut: ProviderTokenStoreUnderTest
    const ring = createKeyring([randomBytes(32)])
    const store = (keyring = ring): ProviderTokenStore => sut.tokens(keyring)
    const newSession = async (): Promise<string> => {
      const record = sessionRecord(await sut.createUser())
      await sut.sessions.create(record)
      return record.id
    }
    beforeAll(async () => {
      sut = await make()
    })
    afterAll(() => sut.close())

    it('stores tokens sealed and returns them', async () => {
      const id = await newSession()
      await store().save(id, TOKENS)
      expect(await store().read(id)).toEqual(TOKENS)
      const stored = await sut.stored(id)
      expect(Object.keys(stored)).toEqual(expect.arrayContaining(['access_token', 'id_token']))
      expect(JSON.stringify(stored)).not.toMatch(/secret/)
    })

    it('stores no tokens of an ended session, and deletes them with it', async () => {
      const id = await newSession()
      await store().save(id, TOKENS)
      await sut.sessions.revoke(id, 'signed-out')
      expect(await store().read(id)).toBeUndefined()
      expect(await store().replace(id, TOKENS)).toBe(false)
      await store().save(id, TOKENS)
      expect(await store().read(id)).toBeUndefined()
      expect(await store().lease(id, 60_000)).toBeUndefined()
    })

    it('does not open a token that was moved to another session or field', async () => {
      const [mine, theirs] = [await newSession(), await newSession()]
      await store().save(mine, { accessToken: 'mine' })
      await store().save(theirs, TOKENS)
      const { access_token: own } = await sut.stored(mine)
      const { refresh_token: foreign } = await sut.stored(theirs)
      await sut.overwrite(mine, { access_token: foreign!, refresh_token: own!, id_token: foreign! })
      expect(await store().read(mine)).toEqual({})
    })

    it('leases to exactly one caller, until the lease is released or expires', async () => {
      const id = await newSession()
      await store().save(id, TOKENS)
      const leases = await Promise.all(Array.from({ length: 20 }, () => store().lease(id, 60_000)))
      expect(leases.filter(Boolean)).toEqual([{ ...TOKENS, abandoned: false }])
      expect(await store().replace(id, { accessToken: 'renewed' })).toBe(true)
      expect(await store().lease(id, -1)).toEqual({ accessToken: 'renewed', abandoned: false })
      expect(await store().lease(id, 60_000)).toEqual({ accessToken: 'renewed', abandoned: true })
      expect(await store().lease(id, 60_000)).toBeUndefined()
      await store().release(id)
      expect(await store().lease(id, 60_000)).toEqual({ accessToken: 'renewed', abandoned: false })
    })

    it('opens tokens with an old key, and seals with the new one', async () => {
      const fresh = randomBytes(32)
      const rotated = createKeyring([fresh, ...ring.secrets])
      const id = await newSession()
      await store().save(id, TOKENS)
      expect(await store(rotated).read(id)).toEqual(TOKENS)
      await store(rotated).replace(id, TOKENS)
      expect(await store(createKeyring([fresh])).read(id)).toEqual(TOKENS)
      expect(await store().read(id)).toEqual({})
    })
  })
}
