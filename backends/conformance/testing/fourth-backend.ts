import {
  AuthBackendOperationUnsupportedError,
  type AuthBackendPort,
  type AuthnRequest,
  type AuthnResult,
  createHmacSessionTokenCrypto,
  singleCookie,
} from '../../index.js'

type SignedIn = Extract<AuthnResult, { ok: true }>

const COOKIE = '__Host-fourth_session'
const DIRECTORY = { id: 'directory', displayName: 'Directory', kind: 'credentials' } as const
const DAY_S = 86_400
const setCookie = (value: string, maxAge: number): string =>
  `${COOKIE}=${value}; Max-Age=${maxAge}; Path=/; HttpOnly; Secure; SameSite=Lax`

/** Keeps sessions in this process. `signIn` opens one for a user whose password was checked. */
export function createFourthBackend(secret: string) {
  const crypto = createHmacSessionTokenCrypto(secret)
  const open = new Map<string, SignedIn>()

  const find = (request: AuthnRequest): SignedIn | undefined => {
    const found = open.get(crypto.openSessionToken(singleCookie(request, COOKIE) ?? '') ?? '')
    return found && Date.parse(found.session.expiresAt) > Date.now() ? found : undefined
  }
  const toPrincipal = ({ userId, scopes, roles, claims }: SignedIn['session']) =>
    ({ subject: userId, scopes, roles, claims, scheme: 'custom' }) as const
  const unsupported = (operation: string) => (): Promise<never> =>
    Promise.reject(
      new AuthBackendOperationUnsupportedError('fourth', operation, 'It keeps no list.'),
    )

  const backend: AuthBackendPort = {
    name: 'fourth',
    crypto,
    capabilities: {
      interactive: false,
      listSessions: false,
      revokeSessions: false,
      refresh: false,
      providerLogout: false,
    },
    providers: {
      listProviders: () => [DIRECTORY],
      getProvider: (id) => (id === DIRECTORY.id ? DIRECTORY : undefined),
    },
    principalMapper: { mapSessionToPrincipal: toPrincipal },
    async authenticate(request) {
      const sent = request.cookies(COOKIE).length > 0
      const reason = sent ? 'credential-invalid' : 'credential-missing'
      return find(request) ?? { ok: false, reason, setCookies: [] }
    },
    sessions: {
      async signOut(request, { everywhere }) {
        const own = find(request)
        const ended = [...open.values()].filter(
          (other) => other === own || (everywhere && other.user.id === own?.user.id),
        )
        for (const { session } of ended) open.delete(session.id)
        return { ...(own && { sessionId: own.session.id }), setCookies: [setCookie('', 0)] }
      },
      listSessions: unsupported('listSessions'),
      revokeSession: unsupported('revokeSession'),
      revokeSessions: unsupported('revokeSessions'),
    },
    async probe() {},
    async close() {},
  }

  const signIn = (userId: string): { setCookie: string } => {
    const { token, sessionId } = crypto.issueSessionToken()
    const instant = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()
    const session: SignedIn['session'] = {
      id: sessionId,
      userId,
      subject: userId,
      providerId: DIRECTORY.id,
      state: 'active',
      scopes: [],
      roles: [],
      claims: {},
      issuedAt: instant(0),
      expiresAt: instant(DAY_S),
    }
    const principal = toPrincipal(session)
    open.set(sessionId, { ok: true, session, user: { id: userId }, principal, setCookies: [] })
    return { setCookie: setCookie(token, DAY_S) }
  }
  return { backend, signIn }
}
