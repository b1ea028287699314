import type { DeletedResponse, StoredUser } from '@netscript/auth-contract'
import type {
  AuthBackendPort,
  AuthnRequest,
  AuthSelfServicePort,
} from '@netscript/plugin-auth-core'
import { ok, type Reply } from '../reply.js'
import { type HandlerContext, requirePart } from './context.js'
import { requireRecentSignIn, requireSignedIn } from './session.js'

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
