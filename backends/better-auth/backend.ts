import {
  type AuthBackendPort,
  type AuthProviderDescriptor,
  createHmacSessionTokenCrypto,
  createProviderRegistry,
} from '@netscript/plugin-auth-core'
import { createReturnToPolicy } from '@netscript/plugin-auth-core/internal'
import { authenticate } from './authenticate.js'
import type { BetterAuthInstance } from './context.js'
import { databaseCall } from './database-call.js'
import { createNodeHandler, type NodeHandler } from './handler.js'
import {
  assertSessionsLiveInDatabase,
  assertUsedSessionsGoOn,
  DEFAULT_BASE_PATH,
} from './instance.js'
import { allowedReturnToOf } from './allowed-return-to.js'
import { createRouteFinder } from './routes.js'
import { assertRolesAreAssigned } from './session-mapping.js'
import { createBetterAuthSessions } from './sessions.js'

const DEFAULT_PROVIDERS: readonly AuthProviderDescriptor[] = [
  { id: 'better-auth', displayName: 'E-mail and password', kind: 'credentials' },
]

/** Options of {@link createBetterAuthBackend}. */
export interface BetterAuthBackendOptions {
  /** An instance of better-auth, such as `createNetscriptBetterAuth` makes. */
  auth: BetterAuthInstance
  /** The secret of `auth`. At least 32 characters. */
  secret: string
  /** The origin that people see; the `baseURL` of `auth`. */
  baseURL: string
  /** How people sign in there. Default: e-mail and password. */
  providers?: readonly AuthProviderDescriptor[]
  /** Releases what was opened for `auth`. Default: nothing. */
  close?: () => Promise<void>
}

/** The better-auth backend: people sign in at its own routes, which the service mounts. */
export interface BetterAuthBackend extends AuthBackendPort {
  /** Always `better-auth`. */
  readonly name: 'better-auth'
  /** better-auth's own routes. Mount it at `basePath`, before anything reads bodies. */
  readonly handler: NodeHandler
  /** Where `handler` answers, such as `/api/auth`. */
  readonly basePath: string
  /** The paths that take the forms of an e-mail address and a password; absent when it is off. */
  readonly passwordForms?: { readonly signIn: string; readonly signUp?: string }
  /**
   * The route that `handler` answers a path at, for logs: paths can hold tokens. `undefined` for
   * paths elsewhere.
   */
  routeOf(method: string, path: string): string | undefined
}

/**
 * The backend of people who signed in through better-auth. It reads better-auth's cookie, and ends
 * the sessions behind it.
 *
 * @throws AuthConfigurationError for a short secret, when `auth` keeps sessions alive outside the
 * database (`session.cookieCache`, `secondaryStorage`), and when its users could give themselves roles.
 *
 * @example
 * ```ts
 * const backend = createBetterAuthBackend({ auth, secret, baseURL: 'https://auth.example.com' })
 * app.all(`${backend.basePath}/{*path}`, backend.handler)
 * ```
 */
export function createBetterAuthBackend(options: BetterAuthBackendOptions): BetterAuthBackend {
  const { auth, baseURL, providers = DEFAULT_PROVIDERS } = options
  assertSessionsLiveInDatabase(auth.options)
  assertUsedSessionsGoOn(auth.options)
  assertRolesAreAssigned(auth.options)
  const basePath = auth.options.basePath ?? DEFAULT_BASE_PATH
  const { origin } = new URL(baseURL)
  const findRoute = createRouteFinder(auth)
  const { disableSessionRefresh, deferSessionRefresh } = auth.options.session ?? {}
  return {
    name: 'better-auth',
    providers: createProviderRegistry(providers),
    // A list: as text, a secret with a comma in it would be taken for two.
    crypto: createHmacSessionTokenCrypto([options.secret]),
    capabilities: {
      interactive: false,
      listSessions: true,
      revokeSessions: true,
      refresh: !disableSessionRefresh && !deferSessionRefresh,
      providerLogout: false,
      backChannelLogout: false,
    },
    signInHint: `Sign in with POST ${new URL(`${basePath}/sign-in/email`, baseURL).href}.`,
    sessions: createBetterAuthSessions(auth),
    authenticate: (request) => authenticate(auth, request),
    async probe() {
      const { adapter } = await auth.$context
      const nobody = [{ field: 'id', value: '' }]
      await databaseCall(() => adapter.findOne({ model: 'session', where: nobody }))
    },
    close: options.close ?? (() => Promise.resolve()),
    handler: createNodeHandler({
      auth,
      basePath,
      origin,
      returnTo: createReturnToPolicy(origin, allowedReturnToOf(auth)),
      findRoute,
    }),
    basePath,
    ...(auth.options.emailAndPassword?.enabled && {
      passwordForms: {
        signIn: `${basePath}/sign-in/email`,
        ...(!auth.options.emailAndPassword.disableSignUp && {
          signUp: `${basePath}/sign-up/email`,
        }),
      },
    }),
    routeOf(method, path) {
      if (!path.startsWith(`${basePath}/`)) return undefined
      const route = findRoute(path.slice(basePath.length), method)
      return `${basePath}${route ?? '/*'}`
    },
  }
}
