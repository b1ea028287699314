import type { SignoutInput, SignoutResponse } from '@netscript/auth-contract'
import type { BackChannelLogoutResponse } from '@netscript/auth-contract/internal'
import { AuthError, type AuthnRequest } from '@netscript/plugin-auth-core'
import { ok, type Reply, seeOther } from '../engine/message.js'
import { type HandlerContext, interactiveFlow } from './context.js'
import { isLostTransaction, stillAllowed } from './sign-in.js'

/**
 * POST /signout: ends the caller's session. A form post is redirected to the provider's logout or the
 * return target.
 */
export async function signout(
  { backend, returnTo }: HandlerContext,
  request: AuthnRequest,
  input: SignoutInput,
  { isForm }: { isForm: boolean },
): Promise<Reply<200, SignoutResponse> | Reply<303, undefined>> {
  const target = returnTo.resolve(input.redirectTo)
  const { logoutUrl, setCookies } = await backend.sessions.signOut(request, {
    everywhere: input.everywhere ?? false,
    returnTo: target,
  })
  if (isForm) return seeOther(logoutUrl ?? target, setCookies)
  return ok(
    {
      signedOut: true,
      ...(input.redirectTo !== undefined && { redirectTo: target }),
      ...(logoutUrl !== undefined && { logoutUrl }),
    },
    setCookies,
  )
}

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

/**
 * POST /backchannel-logout: ends sessions at the provider's request. Only the signed token authenticates
 * the provider; cookies and headers are ignored.
 */
export async function backChannelLogout(
  { backend }: HandlerContext,
  logoutToken: string,
): Promise<Reply<200, BackChannelLogoutResponse>> {
  if (!backend.backChannelLogout) {
    throw new AuthError(
      'AUTH_OPERATION_UNSUPPORTED',
      `The ${backend.name} backend takes no logout tokens. GET /describe says what it supports.`,
    )
  }
  await backend.backChannelLogout(logoutToken)
  return ok({})
}
