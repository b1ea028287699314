import { randomUUID } from 'node:crypto'
import type { AuthSession } from '../../../contract/session.js'
import type { AuthBackendPort } from '../../port.js'
import { singleCookie, toAuthnRequest } from '../../request.js'
import { createHmacSessionTokenCrypto, randomSecret } from '../../session-token.js'
import type { AuthBackendHarness, SignedIn } from '../harness.js'
import { createMemoryBackend } from '../../../server/testing/memory-backend.js'
import { REFUSED_SUBJECT } from '../../../server/testing/memory-sign-in.js'
import {
  createMemoryStore,
  MEMORY_COOKIE,
  type MemorySession,
  type MemoryStore,
  openMemorySession,
} from '../../../server/testing/memory-store.js'

/** Changes a correct backend. */
export type BackendChange = (
  backend: AuthBackendPort,
  store: MemoryStore,
) => Partial<AuthBackendPort>

/** A harness for the memory backend, optionally changed by `change`. */
export function memoryHarness(change: BackendChange = () => ({})): AuthBackendHarness {
  const store = createMemoryStore()
  const secret = randomSecret()
  const crypto = createHmacSessionTokenCrypto(secret)

  const rowOf = (backend: AuthBackendPort, { headers }: SignedIn): MemorySession => {
    const token = singleCookie(toAuthnRequest({ headers }), MEMORY_COOKIE) ?? ''
    const row = store.sessions.get(crypto.openSessionToken(token) ?? '')
    if (!row) throw new Error(`${backend.name} has no such session.`)
    return row
  }
  const agoIso = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString()
  const rewrite =
    (changes: () => Partial<AuthSession>) =>
    async (backend: AuthBackendPort, signedIn: SignedIn): Promise<void> => {
      const row = rowOf(backend, signedIn)
      row.session = { ...row.session, ...changes() }
    }

  return {
    name: 'memory',
    async create() {
      const backend = createMemoryBackend(store, secret)
      return { ...backend, ...change(backend, store) }
    },
    async signIn(backend, as) {
      const subject = as ? rowOf(backend, as).session.subject : randomUUID()
      const { token } = openMemorySession(store, crypto, subject)
      const [secretPart = ''] = token.split('.')
      return { headers: { cookie: `${MEMORY_COOKIE}=${token}` }, secrets: [secretPart] }
    },
    expire: rewrite(() => ({ expiresAt: agoIso(1) })),
    refreshDue: rewrite(() => ({ issuedAt: agoIso(30), expiresAt: agoIso(-30) })),
    async revokeElsewhere(backend, signedIn) {
      store.sessions.delete(rowOf(backend, signedIn).session.id)
    },
    async storeDown() {
      store.down = true
      return async () => void (store.down = false)
    },
    async approve(redirectUrl) {
      const state = new URL(redirectUrl).searchParams.get('state') ?? ''
      return new URLSearchParams({ state, code: randomUUID() })
    },
    async approveRefused(redirectUrl) {
      const state = new URL(redirectUrl).searchParams.get('state') ?? ''
      return new URLSearchParams({ state, code: REFUSED_SUBJECT })
    },
    async giveRole(backend, signedIn, role) {
      const { user } = rowOf(backend, signedIn)
      for (const row of store.sessions.values()) {
        if (row.user.id !== user.id) continue
        row.session = { ...row.session, roles: [...row.session.roles, role] }
      }
    },
  }
}
