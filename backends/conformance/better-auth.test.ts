import { afterAll, beforeAll, describe, it } from 'vitest'
import { createBetterAuthBackend } from '../better-auth/backend.js'
import { startTestServer, type TestServer } from '../better-auth/testing/server.js'
import { openBrowser, signUp, type SignedUpPerson } from '../better-auth/testing/sign-up.js'
import { type AuthBackendHarness, runAuthBackendConformance, type SignedIn } from './index.js'
import { takeDatabaseAway } from './testing/unreachable-database.js'

const DAY_MS = 24 * 60 * 60_000

let server: TestServer<[]>
const known = new Map<string, SignedUpPerson>()

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

/** The session token that better-auth stores, and signs for the cookie. */
const tokenOf = ({ headers }: SignedIn): string =>
  decodeURIComponent(headers.cookie?.split('=')[1] ?? '').split('.')[0] ?? ''

const endIn =
  (ms: number) =>
  async (_backend: unknown, signedIn: SignedIn): Promise<void> => {
    await server.prisma.authSession.update({
      where: { token: tokenOf(signedIn) },
      data: { expiresAt: new Date(Date.now() + ms) },
    })
  }

const harness: AuthBackendHarness = {
  name: 'better-auth',
  async create() {
    const { auth, secret, origin } = server
    return createBetterAuthBackend({ auth, secret, baseURL: origin })
  },
  async signIn(_backend, as) {
    const person = as ? known.get(as.headers.cookie ?? '') : await signUp(server)
    if (!person) throw new Error('No user signed up with this cookie.')
    const browser = as ? openBrowser(server) : person
    if (as) await browser.client.signIn.email(person.credentials)
    const cookie = await browser.cookieHeader()
    known.set(cookie, person)
    const signedIn = { headers: { cookie } }
    return { ...signedIn, secrets: [tokenOf(signedIn), person.credentials.password] }
  },
  expire: endIn(-1000),
  // By default sessions last seven days and are extended at most once a day.
  refreshDue: endIn(5 * DAY_MS),
  async revokeElsewhere(_backend, signedIn) {
    await server.prisma.authSession.delete({ where: { token: tokenOf(signedIn) } })
  },
  storeDown: () => takeDatabaseAway(server.pool),
}

runAuthBackendConformance(harness, { describe, it })
