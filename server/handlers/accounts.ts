import type { AccountsResponse, UnlinkedResponse } from '@netscript/auth-contract'
import type { AuthAccountsPort, AuthBackendPort, AuthnRequest } from '@netscript/plugin-auth-core'
import { ok, type Reply } from '../reply.js'
import { type HandlerContext, requirePart } from './context.js'
import { requireRecentSignIn, requireSignedIn } from './session.js'

/** GET /accounts: the caller's provider accounts. */
export async function listAccounts(
  context: HandlerContext,
  request: AuthnRequest,
): Promise<Reply<200, AccountsResponse>> {
  const accounts = accountsOf(context.backend, 'listAccounts')
  const { session, setCookies } = await requireSignedIn(context, request)
  return ok({ accounts: [...(await accounts.list(session))] }, setCookies)
}

/** DELETE /accounts/:id: removes one of them, with the sessions that were made with it. */
export async function unlinkAccount(
  context: HandlerContext,
  request: AuthnRequest,
  id: string,
): Promise<Reply<200, UnlinkedResponse>> {
  const { backend } = context
  const accounts = accountsOf(backend, 'unlinkAccount')
  const { session, setCookies } = await requireRecentSignIn(context, request)
  const { ended } = await accounts.unlink(session, id)
  const signedOut = ended.includes(session.id)
  const body: UnlinkedResponse = { unlinked: true, revoked: ended.length, signedOut }
  if (!signedOut) return ok(body, setCookies)
  // Clears the cookie: the session has ended already.
  return ok(body, (await backend.sessions.signOut(request, { everywhere: false })).setCookies)
}

/**
 * The accounts of the backend.
 * @throws AuthError `AUTH_OPERATION_UNSUPPORTED` when it has none.
 */
export const accountsOf = (backend: AuthBackendPort, operation: string): AuthAccountsPort =>
  requirePart(backend, backend.accounts, { operation, reason: 'It links no accounts.' })
