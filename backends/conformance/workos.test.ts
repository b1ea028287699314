import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { createWorkosBackend } from '../workos/backend.js'
import { optionsFor } from '../workos/testing/requests.js'
import { startWorkosApi, type WorkosApi, type WorkosSignIn } from '../workos/testing/workos-api.js'
import { type AuthBackendHarness, runAuthBackendConformance, type SignedIn } from './index.js'

let api: WorkosApi
const known = new Map<string, WorkosSignIn & { userId: string }>()

beforeAll(async () => {
  api = await startWorkosApi()
})
afterAll(() => api.stop())

/** The cookie that AuthKit sets. `expiresIn` is the lifetime of the access token, in seconds. */
async function seal(userId: string, options: { sessionId?: string; expiresIn?: number } = {}) {
  const signIn = await api.sealSession({ id: userId, firstName: 'Ada' }, options)
  const cookie = `wos-session=${signIn.cookie}`
  known.set(cookie, { ...signIn, userId })
  return {
    headers: { cookie },
    bearer: signIn.accessToken,
    secrets: [signIn.refreshToken, api.apiKey, api.cookiePassword],
  } satisfies SignedIn
}

function remember({ headers }: SignedIn): WorkosSignIn & { userId: string } {
  const found = known.get(headers.cookie ?? '')
  if (!found) throw new Error('WorkOS never sealed this.')
  return found
}

const harness: AuthBackendHarness = {
  name: 'workos',
  create: () => createWorkosBackend(optionsFor(api)),
  signIn: (_backend, as) => seal(as ? remember(as).userId : `user_${randomUUID()}`),
  async expire(_backend, signedIn) {
    const { userId, sessionId } = remember(signedIn)
    const token = await api.accessToken(userId, { sessionId, expiresIn: -1 })
    return { headers: { authorization: `Bearer ${token}` } }
  },
  // The access token stays valid until it expires; then its refresh is refused.
  async revokeElsewhere(_backend, signedIn) {
    const { userId, sessionId } = remember(signedIn)
    api.endSession(sessionId)
    return seal(userId, { sessionId, expiresIn: -1 })
  },
  refreshDue(_backend, signedIn) {
    const { userId, sessionId } = remember(signedIn)
    return seal(userId, { sessionId, expiresIn: -1 })
  },
  async storeDown() {
    api.down()
    return async () => api.up()
  },
  selfContained: true,
}

runAuthBackendConformance(harness, { describe, it })
