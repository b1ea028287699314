import { afterAll, beforeAll, describe, it } from 'vitest'
import {
  type AuthBackendHarness,
  runAuthBackendConformance,
  type SignedIn,
} from '../conformance/index.js'
import { singleCookie, toAuthnRequest } from '../request.js'
import { createWorkosBackend } from './backend.js'
import { optionsFor } from './testing/requests.js'
import { startWorkosApi, type WorkosApi, type WorkosSignIn } from './testing/workos-api.js'

let api: WorkosApi
beforeAll(async () => {
  api = await startWorkosApi()
})
afterAll(() => api.stop())

const known = new Map<string, WorkosSignIn & { userId: string }>()
let people = 0

function remember(userId: string, signIn: WorkosSignIn): SignedIn {
  known.set(signIn.cookie, { ...signIn, userId })
  return {
    headers: { cookie: `wos-session=${signIn.cookie}` },
    bearer: signIn.accessToken,
    secrets: [signIn.refreshToken, api.apiKey, api.cookiePassword],
  }
}

function recall({ headers }: SignedIn) {
  const signIn = known.get(singleCookie(toAuthnRequest({ headers }), 'wos-session') ?? '')
  if (!signIn) throw new Error('No user signed in with this cookie.')
  return signIn
}

/** The cookie of the browser after the access token in it has expired. */
async function later(signedIn: SignedIn): Promise<SignedIn> {
  const { userId, sessionId, refreshToken } = recall(signedIn)
  const sealed = await api.sealSession({ id: userId }, { sessionId, refreshToken, expiresIn: -60 })
  return remember(userId, sealed)
}

/** Ends the session at WorkOS, and returns the cookie with an expired access token. */
async function ended(signedIn: SignedIn): Promise<SignedIn> {
  api.endSession(recall(signedIn).sessionId)
  return later(signedIn)
}

const harness: AuthBackendHarness = {
  name: 'workos',
  create: () => createWorkosBackend(optionsFor(api)),
  async signIn(_backend, as) {
    const userId = as ? recall(as).userId : `user_${(people += 1)}`
    return remember(userId, await api.sealSession({ id: userId, firstName: 'Ada' }))
  },
  expire: (_backend, signedIn) => ended(signedIn),
  revokeElsewhere: (_backend, signedIn) => ended(signedIn),
  refreshDue: (_backend, signedIn) => later(signedIn),
  async storeDown() {
    api.down()
    return async () => api.up()
  },
  selfContained: true,
}

runAuthBackendConformance(harness, { describe, it })
