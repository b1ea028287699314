import { describe, it } from 'vitest'
import type { SignedIn } from '@netscript/plugin-auth-core/conformance'
import { runAuthBackendConformance } from '@netscript/plugin-auth-core/conformance'
import { REFUSED_SUBJECT } from './memory-sign-in.js'
import { createTestAuth, type TestAuth, type TestUser } from './index.js'

let auth: TestAuth
let users: Map<SignedIn, TestUser>

/** The query that the provider sends back, for another user. */
const approvedBy = (subject: string) => async (redirectUrl: string) => {
  const { searchParams } = new URL(redirectUrl)
  return new URLSearchParams({ state: searchParams.get('state') ?? '', code: subject })
}
const userOf = (signedIn: SignedIn): TestUser => users.get(signedIn)!

// The time passes for every session, as it does for a user of the kit.
runAuthBackendConformance(
  {
    name: 'memory',
    async create() {
      auth = await createTestAuth()
      users = new Map()
      return auth.options.backend
    },
    async signIn(_backend, as) {
      const id = as ? userOf(as).user.id : crypto.randomUUID()
      const user = await auth.signInAs({ id })
      const [secret = ''] = (user.cookie.split('=')[1] ?? '').split('.')
      const signedIn = { headers: { cookie: user.cookie }, secrets: [secret] }
      users.set(signedIn, user)
      return signedIn
    },
    expire: async () => auth.clock.advance('25h'),
    refreshDue: async () => auth.clock.advance('1h'),
    revokeElsewhere: async (_backend, signedIn) => void (await userOf(signedIn).revoke()),
    approve: (redirectUrl) => approvedBy(crypto.randomUUID())(redirectUrl),
    approveRefused: approvedBy(REFUSED_SUBJECT),
    giveRole: async (_backend, signedIn, role) => {
      await auth.signInAs({ id: userOf(signedIn).user.id, roles: [role] })
    },
  },
  { describe, it },
)
