import type { AuthnRequest } from '@netscript/plugin-auth-core'
import { type Reply, seeOther } from '../reply.js'
import { isLostTransaction, stillAllowed } from './callback.js'
import { type HandlerContext, interactiveFlow } from './context.js'

/** GET /logout: redeems the ticket and redirects to the provider's logout. */
export async function logout(
  { backend }: HandlerContext,
  request: AuthnRequest,
  ticket: string,
): Promise<Reply<303, undefined>> {
  const flow = interactiveFlow(backend, 'sign-out')
  const { redirectUrl, setCookies } = await flow.startLogout(request, ticket)
  return seeOther(redirectUrl, setCookies)
}

/**
 * GET /logged-out: consumes the state returned by the provider and redirects to the return target. The
 * user is signed out either way, so an invalid state redirects to the default target.
 */
export async function loggedOut(
  context: HandlerContext,
  request: AuthnRequest,
  state: string | undefined,
): Promise<Reply<303, undefined>> {
  const flow = interactiveFlow(context.backend, 'sign-out')
  if (!state) return seeOther(context.returnTo.default)
  try {
    const { returnTo, setCookies } = await flow.finishLogout(request, state)
    return seeOther(stillAllowed(context, returnTo), setCookies)
  } catch (error) {
    if (!isLostTransaction(error)) throw error
    return seeOther(context.returnTo.default, error.setCookies)
  }
}
