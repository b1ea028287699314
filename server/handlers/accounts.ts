import type {
  AccountsResponse,
  DeletedResponse,
  StoredUser,
  UnlinkedResponse,
} from '@netscript/auth-contract'
import type {
  AuthAccountsPort,
  AuthBackendPort,
  AuthnRequest,
  AuthSelfServicePort,
} from '@netscript/plugin-auth-core'
import { ok, type Reply } from '../engine/message.js'
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

/** GET /user: what is stored about the caller. */
export async function exportUser(
  context: HandlerContext,
  request: AuthnRequest,
): Promise<Reply<200, StoredUser>> {
  const selfService = selfServiceOf(context.backend, 'exportUser')
  const { session, setCookies } = await requireSignedIn(context, request)
  return ok(await selfService.exportUser(session), setCookies)
}

/** DELETE /user: deletes the caller with everything that {@link exportUser} returns but the audit trail. */
export async function deleteUser(
  context: HandlerContext,
  request: AuthnRequest,
): Promise<Reply<200, DeletedResponse>> {
  const { backend } = context
  const selfService = selfServiceOf(backend, 'deleteUser')
  const { session } = await requireRecentSignIn(context, request)
  await selfService.deleteUser(session)
  // Clears the cookie: the session has ended already.
  const { setCookies } = await backend.sessions.signOut(request, { everywhere: false })
  return ok({ deleted: true }, setCookies)
}

const selfServiceOf = (backend: AuthBackendPort, operation: string): AuthSelfServicePort =>
  requirePart(backend, backend.selfService, {
    operation,
    reason: 'It neither exports nor deletes users.',
  })
