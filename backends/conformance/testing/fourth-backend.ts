import * as auth from '../../index.js'

type SignedIn = Extract<auth.AuthnResult, { ok: true }>

const COOKIE = '__Host-fourth_session'
const DAY = 86_400

/** Keeps sessions in this process. `signIn` opens one for a user whose password was checked. */
export function createFourthBackend(secret: string) {
  const crypto = auth.createHmacSessionTokenCrypto(secret)
  const sessions = new Map<string, SignedIn>()
  const find = (request: auth.AuthnRequest): SignedIn | undefined => {
    const token = auth.singleCookie(request, COOKIE) ?? ''
    const found = sessions.get(crypto.openSessionToken(token) ?? '')
    return found && Date.parse(found.session.expiresAt) > Date.now() ? found : undefined
  }
  const backend: auth.AuthBackendPort = {
    name: 'fourth',
    capabilities: {
      listSessions: false,
      revokeSessions: false,
      refresh: false,
      providerLogout: false,
    },
    providers: auth.createProviderRegistry([
      { id: 'directory', displayName: 'Directory', kind: 'credentials' },
    ]),
    async authenticate(request) {
      const sent = request.cookies(COOKIE).length > 0
      const reason = sent ? 'credential-invalid' : 'credential-missing'
      return find(request) ?? { ok: false, reason, setCookies: [] }
    },
    sessions: {
      ...auth.noSessionManagement('fourth', 'It keeps no list.'),
      async signOut(request, { everywhere }) {
        const own = find(request)
        for (const [id, { user }] of sessions) {
          if (id === own?.session.id || (everywhere && user.id === own?.user.id))
            sessions.delete(id)
        }
        return { setCookies: [auth.clearCookie(COOKIE)], ...(own && { sessionId: own.session.id }) }
      },
    },
    probe: async () => {},
    close: async () => {},
  }
  const signIn = (userId: string): string => {
    const { token, sessionId: id } = crypto.issueSessionToken()
    const instant = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()
    const session: SignedIn['session'] = {
      id,
      userId,
      subject: userId,
      state: 'active',
      scopes: [],
      roles: [],
      claims: {},
      issuedAt: instant(0),
      expiresAt: instant(DAY),
    }
    const principal = auth.mapSessionToPrincipal(session)
    sessions.set(id, { ok: true, user: { id: userId }, session, principal, setCookies: [] })
    return auth.setCookie(COOKIE, token, { maxAge: DAY })
  }
  return { backend, signIn }
}
