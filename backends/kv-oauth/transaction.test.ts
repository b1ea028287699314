import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isAuthError } from '../errors.js'
import { createKeyring, seal, unseal } from '../keyring.js'
import { type AuthnRequest, toAuthnRequest } from '../request.js'
import { publicId } from '../session-token.js'
import type { TransactionStore } from './session-store.js'
import type { KvOAuthContext } from './context.js'
import {
  LOG_OUT_RETURN,
  LOG_OUT_TICKET,
  openTransaction,
  SIGN_IN,
  takeTransaction,
  type TransactionKind,
} from './transaction.js'

const KINDS: [string, TransactionKind][] = [
  ['SIGN_IN', SIGN_IN],
  ['LOG_OUT_TICKET', LOG_OUT_TICKET],
  ['LOG_OUT_RETURN', LOG_OUT_RETURN],
]
const PAYLOAD = { nonce: 'a nonce that no chance makes', returnTo: '/a' }

/** A service whose clock, keys and entries the test controls. */
function service(sessionName = '__Host-ns_session') {
  const entries = new Map<string, Parameters<TransactionStore['put']>[1] & { endsAt: number }>()
  const warnings: [object, string][] = []
  const world = { now: 0, keyring: createKeyring([randomBytes(32)]) }
  const transactions: TransactionStore = {
    async put(key, entry, ttlMs) {
      entries.set(key, { ...entry, endsAt: world.now + ttlMs })
    },
    async take(key, stateHash) {
      const entry = entries.get(key)
      if (entry?.stateHash !== stateHash || entry.endsAt <= world.now) return undefined
      entries.delete(key)
      return entry.sealed
    },
  }
  const context = () =>
    ({
      keyring: world.keyring,
      transactions,
      cookies: { sessionName, secure: sessionName.startsWith('__Host-') },
      log: { warn: (fields: object, message: string) => void warnings.push([fields, message]) },
    }) as unknown as KvOAuthContext
  return {
    world,
    entries,
    warnings,
    open: (kind: TransactionKind, request = browser()) =>
      openTransaction(context(), kind, request, PAYLOAD),
    take: (kind: TransactionKind, request: AuthnRequest, handle: string | undefined) =>
      takeTransaction(context(), kind, request, handle),
  }
}

/** A request with these cookies (`name=value`, or full Set-Cookie values). */
function browser(...cookies: readonly string[]): AuthnRequest {
  const cookie = cookies.map((setCookie) => setCookie.split(';', 1)[0]).join('; ')
  return toAuthnRequest({ headers: { cookie } })
}

const cookieOf = (prefix: string, handle: string) => `${prefix}${publicId(handle).slice(0, 16)}`
const valueOf = (setCookie = '') => setCookie.slice(setCookie.indexOf('=') + 1).split(';', 1)[0]!

/** Code, detail and cookies of the error of a call. */
async function failure(call: Promise<unknown>) {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isAuthError(error)) throw new Error('expected an AuthError', { cause: error })
  return { code: error.code, detail: error.detail, setCookies: error.setCookies }
}

describe('openTransaction', () => {
  it.each([
    ['SIGN_IN', SIGN_IN, 'ns_txn_', 600],
    ['LOG_OUT_TICKET', LOG_OUT_TICKET, 'ns_logout_', 60],
    ['LOG_OUT_RETURN', LOG_OUT_RETURN, 'ns_logout_', 600],
  ])('%s: binds it to the browser for its lifetime', async (_name, kind, prefix, ttl) => {
    const strict = service()
    const { handle, setCookies } = await strict.open(kind)
    const secret = valueOf(setCookies[0])
    expect(setCookies).toEqual([
      `${cookieOf(`__Host-${prefix}`, handle)}=${secret}; Path=/; Max-Age=${ttl}; HttpOnly; SameSite=Lax; Secure`,
    ])
    expect([...strict.entries]).toStrictEqual([
      [
        publicId(secret),
        {
          stateHash: publicId(handle),
          sealed: expect.any(String),
          flushedLater: kind === SIGN_IN,
          endsAt: ttl * 1000,
        },
      ],
    ])

    const onHttp = await service('ns_session').open(kind)
    expect(onHttp.setCookies).toEqual([
      `${cookieOf(prefix, onHttp.handle)}=${valueOf(onHttp.setCookies[0])}; Path=/; Max-Age=${ttl}; HttpOnly; SameSite=Lax`,
    ])
  })

  it.each([
    ['sign-in-transaction', SIGN_IN],
    ['log-out-transaction', LOG_OUT_TICKET],
    ['log-out-transaction', LOG_OUT_RETURN],
  ] as const)('seals with keys of its own: %s', async (purpose, kind) => {
    const { open, entries, world } = service()
    await open(kind)
    const [[key, entry] = ['', undefined]] = entries
    expect(unseal(world.keyring, purpose, key, entry!.sealed)).toBe(JSON.stringify(PAYLOAD))
    expect(unseal(world.keyring, purpose, 'other', entry!.sealed)).toBeUndefined()
    expect(unseal(world.keyring, 'session-token', key, entry!.sealed)).toBeUndefined()
  })

  it('stores nothing that is readable or usable from a dump', async () => {
    const { open, entries } = service()
    const { handle, setCookies } = await open(SIGN_IN)
    const [[key, entry] = ['', undefined]] = entries
    const dump = JSON.stringify([key, entry])
    for (const secret of [handle, valueOf(setCookies[0]), PAYLOAD.nonce, PAYLOAD.returnTo]) {
      expect(dump).not.toContain(secret)
    }
  })

  it.each([
    [0, 0],
    [4, 0],
    [5, 1],
    [7, 3],
  ])('with %i already open in the browser clears the oldest %i', async (held, cleared) => {
    const names = Array.from({ length: held }, (_, n) => `__Host-ns_txn_${n}`)
    const others = ['ns_txn_1', 'a__Host-ns_txn_', '__Host-ns_logout_1', '__Host-ns_session']
    const request = browser(...[...others, ...names].map((name) => `${name}=x`))
    const { handle, setCookies } = await service().open(SIGN_IN, request)
    expect(setCookies.map((cookie) => cookie.split('=', 1)[0])).toEqual([
      ...names.slice(0, cleared),
      cookieOf('__Host-ns_txn_', handle),
    ])
    for (const cookie of setCookies.slice(0, cleared)) {
      expect(cookie).toMatch(/^[^=]+=; Path=\/; Max-Age=0; HttpOnly; SameSite=Lax; Secure$/)
    }
  })

  it('clears cookies of http://localhost without Secure, which would not reach them', async () => {
    const names = Array.from({ length: 5 }, (_, n) => `ns_txn_${n}=x`)
    const { setCookies } = await service('ns_session').open(SIGN_IN, browser(...names))
    expect(setCookies[0]).toBe('ns_txn_0=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax')
  })
})

describe('takeTransaction', () => {
  it.each(KINDS)('%s: works once, in the browser that opened it', async (_name, kind) => {
    const { open, take, warnings } = service()
    const { handle, setCookies } = await open(kind)
    const cleared = [
      `${setCookies[0]!.split('=', 1)[0]}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure`,
    ]
    const taken = await take(kind, browser(...setCookies), handle)
    expect(taken).toEqual({ payload: PAYLOAD, setCookies: cleared })
    expect(await failure(take(kind, browser(...setCookies), handle))).toEqual({
      code: 'AUTH_TRANSACTION_EXPIRED',
      detail: kind.advice,
      setCookies: cleared,
    })
    expect(warnings).toEqual([])
  })

  it('clears a cookie of http://localhost without Secure, which would not reach it', async () => {
    const { open, take } = service('ns_session')
    const { handle, setCookies } = await open(SIGN_IN)
    const taken = await take(SIGN_IN, browser(...setCookies), handle)
    expect(taken.setCookies).toEqual([
      `${cookieOf('ns_txn_', handle)}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax`,
    ])
  })

  it.each(KINDS)('%s: expires', async (_name, kind) => {
    const { open, take, world } = service()
    const { handle, setCookies } = await open(kind)
    world.now = kind.ttlMs
    const { code } = await failure(take(kind, browser(...setCookies), handle))
    expect(code).toBe('AUTH_TRANSACTION_EXPIRED')
  })

  it('consumes nothing for another browser, another handle or a duplicate cookie', async () => {
    const { open, take, entries } = service()
    const mine = await open(SIGN_IN)
    const foreign = await open(SIGN_IN)
    const name = cookieOf('__Host-ns_txn_', mine.handle)
    const missing = { code: 'AUTH_TRANSACTION_MISSING', detail: SIGN_IN.advice, setCookies: [] }
    for (const [request, handle] of [
      [browser(), mine.handle],
      [browser(...foreign.setCookies), mine.handle],
      [browser(...mine.setCookies), foreign.handle],
      [browser(...mine.setCookies), undefined],
      [browser(...mine.setCookies), ''],
      [browser(`${name}=`), mine.handle],
      [browser(...mine.setCookies, `${name}=planted`), mine.handle],
    ] as const) {
      expect(await failure(take(SIGN_IN, request, handle))).toEqual(missing)
    }
    expect(entries.size).toBe(2)
  })

  it('consumes nothing for a secret under the cookie name of another transaction', async () => {
    const { open, take, entries } = service()
    const mine = await open(SIGN_IN)
    const foreign = await open(SIGN_IN)
    const swapped = `${cookieOf('__Host-ns_txn_', foreign.handle)}=${valueOf(mine.setCookies[0])}`
    const { code } = await failure(take(SIGN_IN, browser(swapped), foreign.handle))
    expect(code).toBe('AUTH_TRANSACTION_EXPIRED')
    expect(entries.size).toBe(2)
  })

  it('never opens one kind as another, and never accepts a cookie without the __Host- prefix', async () => {
    const { open, take } = service()
    const { handle, setCookies } = await open(SIGN_IN)
    const secret = valueOf(setCookies[0])
    const asLogOut = browser(`${cookieOf('__Host-ns_logout_', handle)}=${secret}`)
    expect((await failure(take(LOG_OUT_TICKET, asLogOut, handle))).code).toBe(
      'AUTH_TRANSACTION_EXPIRED',
    )
    const bare = browser(`${cookieOf('ns_txn_', handle)}=${secret}`)
    expect((await failure(take(SIGN_IN, bare, handle))).code).toBe('AUTH_TRANSACTION_MISSING')
  })

  it('opens with a former key, and logs a warning once the key is removed', async () => {
    const { open, take, world, warnings } = service()
    const [kept, dropped] = [await open(SIGN_IN), await open(SIGN_IN)]
    const fresh = randomBytes(32)
    world.keyring = createKeyring([fresh, ...world.keyring.secrets])
    const { payload } = await take(SIGN_IN, browser(...kept.setCookies), kept.handle)
    expect(payload).toEqual(PAYLOAD)

    world.keyring = createKeyring([fresh])
    const { code } = await failure(take(SIGN_IN, browser(...dropped.setCookies), dropped.handle))
    expect(code).toBe('AUTH_TRANSACTION_EXPIRED')
    expect(warnings).toEqual([
      [
        { code: 'AUTH_KEY_MISSING', purpose: 'sign-in-transaction' },
        expect.stringContaining('no longer in the keyring'),
      ],
    ])
  })

  it('opens only a value sealed for its own entry', async () => {
    const { open, take, entries, world } = service()
    const { handle, setCookies } = await open(SIGN_IN)
    const [[key, entry] = ['', undefined]] = entries
    const moved = seal(world.keyring, SIGN_IN.purpose, 'another entry', JSON.stringify(PAYLOAD))
    entries.set(key, { ...entry!, sealed: moved })
    const { code } = await failure(take(SIGN_IN, browser(...setCookies), handle))
    expect(code).toBe('AUTH_TRANSACTION_EXPIRED')
  })
})

describe('the advice for a lost transaction', () => {
  it.each([
    [SIGN_IN, /^The sign-in was cancelled.*Start it again\.$/],
    [LOG_OUT_TICKET, /signed out here/],
    [LOG_OUT_RETURN, /signed out here/],
  ])('matches the action of the user: %#', ({ advice }, expected) => {
    expect(advice).toMatch(expected)
  })
})
