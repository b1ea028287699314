import { clearCookie } from '../../../cookie.js'
import type { AuthSession } from '../../../../contract/session.js'
import { AuthBackendOperationUnsupportedError, AuthError } from '../../../errors.js'
import { singleCookie } from '../../../request.js'
import { publicId } from '../../../session-token.js'
import { MEMORY_COOKIE } from '../memory-store.js'
import { claiming, type Flaw, managing } from './flaw.js'

export const SESSION_FLAWS: readonly Flaw[] = [
  {
    check: 'sign-out-ends-own-session-only',
    flaw: 'signing out is always everywhere',
    because: /no user is signed in: after signing out in another browser/,
    change: managing((sessions) => ({
      signOut: (request, options) => sessions.signOut(request, { ...options, everywhere: true }),
    })),
  },
  {
    check: 'sign-out-ends-own-session-only',
    flaw: 'signing out does not return the session id',
    because: /names another session/,
    change: managing((sessions) => ({
      async signOut(request, options) {
        const { setCookies } = await sessions.signOut(request, options)
        return { setCookies }
      },
    })),
  },
  {
    check: 'sign-out-is-idempotent',
    flaw: 'signing out without a session throws',
    because: /no session/,
    change: managing((sessions) => ({
      async signOut(request, options) {
        const result = await sessions.signOut(request, options)
        if (result.sessionId === undefined) throw new Error('There is no session.')
        return result
      },
    })),
  },
  {
    check: 'sign-out-is-idempotent',
    flaw: 'the id of a session that has ended is returned',
    because: /a second sign-out says that it ended a session/,
    change: managing((sessions, { crypto }) => ({
      async signOut(request, options) {
        const sessionId = crypto.openSessionToken(singleCookie(request, MEMORY_COOKIE) ?? '')
        return { ...(await sessions.signOut(request, options)), ...(sessionId && { sessionId }) }
      },
    })),
  },
  {
    check: 'sign-out-is-idempotent',
    flaw: 'an expired credential may still end all sessions of its user',
    because: /no user is signed in: after a sign-out with a session that has ended/,
    change: managing((sessions, backend) => {
      const users = new Map<string, string>()
      return {
        async signOut(request, options) {
          const cookie = request.header('cookie') ?? ''
          const caller = await backend.authenticate(request)
          if (caller.ok) users.set(cookie, caller.user.id)
          const user = users.get(cookie)
          if (options.everywhere && user !== undefined) await sessions.revokeSessions(user)
          return sessions.signOut(request, options)
        },
      }
    }),
  },
  {
    check: 'sign-out-clears-cookies',
    flaw: 'an invalid cookie is not cleared',
    because: /with an invalid cookie does not clear/,
    change: managing((sessions) => ({
      async signOut(request, options) {
        const result = await sessions.signOut(request, options)
        return result.sessionId === undefined ? { setCookies: [] } : result
      },
    })),
  },
  {
    check: 'sign-out-clears-cookies',
    flaw: 'a cookie of another name is cleared',
    because: /does not clear/,
    change: managing((sessions) => ({
      async signOut(request, options) {
        const result = await sessions.signOut(request, options)
        return { ...result, setCookies: [clearCookie('memory_session', { secure: true })] }
      },
    })),
  },
  {
    check: 'sign-out-everywhere',
    flaw: 'everywhere is ignored',
    because: /signed out everywhere must be anonymous, but is a user/,
    change: managing((sessions) => ({
      signOut: (request, options) => sessions.signOut(request, { ...options, everywhere: false }),
    })),
  },
  {
    check: 'sign-out-everywhere',
    flaw: 'everywhere ends the sessions of all users',
    because: /no user is signed in: after another user signed out everywhere/,
    change: managing((sessions, _backend, store) => ({
      async signOut(request, options) {
        const result = await sessions.signOut(request, options)
        if (options.everywhere) store.sessions.clear()
        return result
      },
    })),
  },
  {
    check: 'forged-sign-out-ends-nothing',
    flaw: 'signing out does not verify the signature',
    because: /forged credential/,
    change: managing((sessions, _backend, store) => ({
      async signOut(request, options) {
        const [secret = ''] = request.cookies(MEMORY_COOKIE)[0]?.split('.') ?? []
        store.sessions.delete(publicId(secret))
        return sessions.signOut(request, options)
      },
    })),
  },
  {
    check: 'forged-sign-out-ends-nothing',
    flaw: 'signing out accepts a public id',
    because: /forged credential/,
    change: managing((sessions, _backend, store) => ({
      async signOut(request, options) {
        store.sessions.delete(request.cookies(MEMORY_COOKIE)[0] ?? '')
        return sessions.signOut(request, options)
      },
    })),
  },
  {
    check: 'provider-logout-matches-capability',
    flaw: 'a logoutUrl is returned although the capability is false',
    because: /there is a logoutUrl, but the capability is false/,
    change: managing((sessions) => ({
      signOut: async (request, options) => ({
        ...(await sessions.signOut(request, options)),
        logoutUrl: 'https://provider.example/logout',
      }),
    })),
  },
  {
    check: 'lists-own-sessions',
    flaw: 'the list has sessions of all users',
    because: /the list has other sessions/,
    change: managing((_sessions, _backend, store) => ({
      listSessions: async () => ({ sessions: [...store.sessions.values()] }),
    })),
  },
  {
    check: 'lists-own-sessions',
    flaw: 'the list is oldest first',
    because: /not newest first/,
    change: managing((sessions) => ({
      listSessions: async (userId) => ({
        sessions: (await sessions.listSessions(userId)).sessions.toReversed(),
      }),
    })),
  },
  {
    check: 'lists-own-sessions',
    flaw: 'the list has only one session',
    because: /the list has other sessions/,
    change: managing((sessions) => ({
      listSessions: async (userId) => ({
        sessions: (await sessions.listSessions(userId)).sessions.slice(0, 1),
      }),
    })),
  },
  {
    check: 'pages-own-sessions',
    flaw: 'the limit is ignored',
    because: /a page has more than 1 sessions/,
    change: managing((sessions) => ({
      listSessions: (userId) => sessions.listSessions(userId),
    })),
  },
  {
    check: 'pages-own-sessions',
    flaw: 'every page is the first',
    because: /pages of 1 differ from the list/,
    change: managing((sessions) => ({
      listSessions: (userId, { limit } = {}) =>
        sessions.listSessions(userId, limit === undefined ? {} : { limit }),
    })),
  },
  {
    check: 'pages-own-sessions',
    flaw: 'the last page has a cursor',
    because: /there is a cursor, but no more sessions/,
    change: managing((sessions) => ({
      listSessions: async (...given) => ({
        cursor: '0.last',
        ...(await sessions.listSessions(...given)),
      }),
    })),
  },
  {
    check: 'pages-are-stable',
    flaw: 'the cursor is an offset',
    because: /the second page is not the second session/,
    change: managing((sessions) => ({
      async listSessions(userId, { limit = 100, cursor = '0' } = {}) {
        const all = (await sessions.listSessions(userId)).sessions
        const end = Number(cursor) + limit
        return {
          sessions: all.slice(Number(cursor), end),
          ...(end < all.length && { cursor: String(end) }),
        }
      },
    })),
  },
  {
    check: 'refuses-unknown-cursors',
    flaw: 'an unknown cursor returns the first page',
    because: /listSessions with the cursor .* must be refused, but was answered/,
    change: managing((sessions) => ({
      listSessions: (userId, options) =>
        sessions.listSessions(userId, options).catch(() => sessions.listSessions(userId)),
    })),
  },
  {
    check: 'refuses-unknown-cursors',
    flaw: 'an unknown cursor is STORE_UNAVAILABLE',
    because: /an unknown cursor is another error/,
    change: managing((sessions) => ({
      listSessions: (userId, options) =>
        sessions.listSessions(userId, options).catch(() => {
          throw new AuthError('STORE_UNAVAILABLE', 'The store is down. Try again.')
        }),
    })),
  },
  {
    check: 'listed-sessions-follow-contract',
    flaw: 'listed sessions are raw database rows',
    because: /a listed session is not valid/,
    change: managing((sessions) => ({
      listSessions: async (userId) => ({
        sessions: (await sessions.listSessions(userId)).sessions.map(({ session }) => ({
          session: { ...session, issuedAt: new Date(session.issuedAt) } as unknown as AuthSession,
        })),
      }),
    })),
  },
  {
    check: 'lists-nothing-of-unknown-user',
    flaw: 'an unknown user has the sessions of all users',
    because: /there are sessions of/,
    change: managing((sessions, _backend, store) => ({
      async listSessions(userId) {
        const page = await sessions.listSessions(userId)
        return page.sessions.length > 0 ? page : { sessions: [...store.sessions.values()] }
      },
    })),
  },
  {
    check: 'revokes-own-session-once',
    flaw: 'revoking always returns true',
    because: /a session is revoked twice/,
    change: managing((sessions) => ({
      revokeSession: async (...ids) => (await sessions.revokeSession(...ids)) || true,
    })),
  },
  {
    check: 'revokes-own-session-once',
    flaw: 'revoking one session ends all of the user',
    because: /no user is signed in: after another session was revoked/,
    change: managing((sessions) => ({
      async revokeSession(userId, sessionId) {
        const revoked = await sessions.revokeSession(userId, sessionId)
        await sessions.revokeSessions(userId)
        return revoked
      },
    })),
  },
  {
    check: 'revokes-no-foreign-session',
    flaw: 'the owner of the session is not checked',
    because: /not the user’s is revoked/,
    change: managing((_sessions, _backend, store) => ({
      revokeSession: async (_userId, sessionId) => store.sessions.delete(sessionId),
    })),
  },
  {
    check: 'revokes-no-foreign-session',
    flaw: 'a foreign session is ended, and false returned',
    because: /no user is signed in: after another user tried/,
    change: managing((sessions, _backend, store) => ({
      async revokeSession(userId, sessionId) {
        const revoked = await sessions.revokeSession(userId, sessionId)
        store.sessions.delete(sessionId)
        return revoked
      },
    })),
  },
  {
    check: 'revokes-all-sessions-but-one',
    flaw: 'the exception is ended too',
    because: /not two were ended/,
    change: managing((sessions) => ({
      revokeSessions: (userId) => sessions.revokeSessions(userId),
    })),
  },
  {
    check: 'revokes-all-sessions-but-one',
    flaw: 'the returned number is wrong',
    because: /not two were ended/,
    change: managing((sessions) => ({
      revokeSessions: async (...given) => (await sessions.revokeSessions(...given)) * 0,
    })),
  },
  {
    check: 'revokes-nothing-of-unknown-user',
    flaw: 'an empty user id matches all',
    because: /something was ended for ""/,
    change: managing((sessions, _backend, store) => ({
      async revokeSessions(userId, options) {
        if (userId !== '') return sessions.revokeSessions(userId, options)
        const { size } = store.sessions
        store.sessions.clear()
        return size
      },
    })),
  },
  {
    check: 'unsupported-listing-says-so',
    flaw: 'unsupported listing returns an empty list',
    because: /listSessions must be refused, but was answered/,
    change: (backend, store) => ({
      ...claiming({ listSessions: false })(backend, store),
      ...managing(() => ({ listSessions: async () => ({ sessions: [] }) }))(backend, store),
    }),
  },
  {
    check: 'unsupported-listing-says-so',
    flaw: 'listing works although the capability is false',
    because: /listSessions must be refused, but was answered/,
    change: claiming({ listSessions: false }),
  },
  {
    check: 'unsupported-listing-says-so',
    flaw: 'unsupported listing throws another error class',
    because: /must throw AuthBackendOperationUnsupportedError/,
    change: (backend, store) => ({
      ...claiming({ listSessions: false })(backend, store),
      ...managing(() => ({ listSessions: () => Promise.reject(new Error('unsupported')) }))(
        backend,
        store,
      ),
    }),
  },
  {
    check: 'unsupported-listing-says-so',
    flaw: 'the error names another backend',
    because: /the error names another backend/,
    change: (backend, store) => ({
      ...claiming({ listSessions: false })(backend, store),
      ...managing(() => ({
        async listSessions() {
          throw new AuthBackendOperationUnsupportedError('other', 'listSessions', 'It cannot.')
        },
      }))(backend, store),
    }),
  },
  {
    check: 'unsupported-revocation-says-so',
    flaw: 'unsupported revocation returns false',
    because: /revokeSession must be refused, but was answered/,
    change: (backend, store) => ({
      ...claiming({ revokeSessions: false })(backend, store),
      ...managing(() => ({ revokeSession: async () => false }))(backend, store),
    }),
  },
]
