import pg from 'pg'
import { CookieJar } from 'tough-cookie'
import { completeLogin } from '../../support/oidc-login.js'
import { freePort } from '../../../local/loopback.js'
import { startTestService, type TestService } from '../../support/service.js'
import { startSignIn } from '../../support/sign-in.js'
import { createUserAgent, type UserAgent } from '../../support/user-agent.js'
import { type HostileProvider, startHostileProvider } from './hostile-provider.js'

/** A service with an honest provider, `good`, and hostile ones, of which `evil` is the first. */
export interface Scene {
  readonly service: TestService
  readonly good: { readonly issuer: string }
  readonly evil: HostileProvider
  readonly hostile: Readonly<Record<string, HostileProvider>>
  newAgent(): UserAgent
  /** Signs in at the provider, as `ada` unless told otherwise; returns the callback URL, unopened. */
  callbackUrl(agent: UserAgent, providerId?: string, login?: string): Promise<string>
  /** Counts the sessions, and the users of hostile providers, in the database. */
  count(): Promise<{ sessions: number; victims: number }>
  /** Asks the database of the service. */
  query<Row extends pg.QueryResultRow>(statement: string): Promise<Row[]>
  /** Resets all providers to honest and deletes all sessions. */
  reset(): Promise<void>
  close(): Promise<void>
}

/** Starts a {@link Scene}. */
export async function startScene(
  options: {
    /** Further hostile providers. */
    more?: readonly string[]
    claimsOnlyAtUserInfo?: boolean
  } = {},
): Promise<Scene> {
  const port = await freePort()
  const callback = `http://localhost:${port}/api/v1/auth/callback`
  const ids = ['evil', ...(options.more ?? [])]
  const started = await Promise.all(
    ids.map((id) =>
      startHostileProvider({
        redirectUri: `${callback}?provider=${id}`,
        postLogoutRedirectUri: `http://localhost:${port}/api/v1/auth/logged-out`,
        claimsOnlyAtUserInfo: options.claimsOnlyAtUserInfo ?? false,
      }),
    ),
  )
  const hostile = Object.fromEntries(ids.map((id, index) => [id, started[index]!]))
  const service = await startTestService({
    port,
    provider: { redirectUris: [`${callback}/good`] },
    env: (local) => ({
      NETSCRIPT_AUTH_PROVIDERS: ['good', ...ids].join(','),
      NETSCRIPT_AUTH_GOOD_ISSUER: local.NETSCRIPT_AUTH_ISSUER ?? '',
      NETSCRIPT_AUTH_GOOD_CLIENT_ID: local.NETSCRIPT_AUTH_CLIENT_ID ?? '',
      NETSCRIPT_AUTH_GOOD_CLIENT_SECRET: local.NETSCRIPT_AUTH_CLIENT_SECRET ?? '',
      // One address signs in several hundred times in these tests.
      NETSCRIPT_AUTH_INSECURE_NO_RATE_LIMIT: 'true',
      // Registered with a query, as by earlier versions; `good` has a path of its own.
      ...Object.fromEntries(
        Object.entries(hostile).flatMap((one) => variables(one, `${callback}?provider=${one[0]}`)),
      ),
    }),
  })
  const db = new pg.Pool({ connectionString: service.databaseUrl, max: 2 })
  const query = async <Row extends pg.QueryResultRow>(statement: string): Promise<Row[]> =>
    (await db.query<Row>(statement)).rows
  const jars = new Map<string, CookieJar>()
  return {
    service,
    good: service.provider,
    evil: started[0]!,
    hostile,
    newAgent: () => createUserAgent(service.origin),
    async callbackUrl(agent, providerId = 'evil', login = 'ada') {
      const { redirectUrl } = await startSignIn(agent, { providerId })
      // A user who is already signed in at the provider is not prompted again, which is faster.
      const who = `${providerId} ${login}`
      const cookieJar = jars.get(who) ?? new CookieJar()
      jars.set(who, cookieJar)
      return completeLogin(redirectUrl, { login, cookieJar })
    },
    query,
    async count() {
      const rows = await query<{ sessions: number; victims: number }>(
        `SELECT (SELECT count(*)::int FROM auth_keyv WHERE user_id IS NOT NULL) AS sessions,
                (SELECT count(*)::int FROM auth_accounts WHERE provider_id <> 'good') AS victims`,
      )
      return rows[0]!
    },
    async reset() {
      for (const provider of started) provider.tamper({})
      await db.query('DELETE FROM auth_keyv')
    },
    async close() {
      await db.end()
      await service.close()
      await Promise.all(started.map((provider) => provider.stop()))
    },
  }
}

function variables(
  [id, { issuer, client }]: [string, HostileProvider],
  redirectUri: string,
): [string, string][] {
  const prefix = `NETSCRIPT_AUTH_${id.toUpperCase().replaceAll('-', '_')}`
  return [
    [`${prefix}_ISSUER`, issuer],
    [`${prefix}_REDIRECT_URI`, redirectUri],
    [`${prefix}_CLIENT_ID`, client.clientId],
    [`${prefix}_CLIENT_SECRET`, client.clientSecret],
  ]
}
