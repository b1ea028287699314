import type { SignoutInput, SignoutResponse } from '@netscript/auth-contract'
import type { AuthnRequest } from '@netscript/plugin-auth-core'
import { ok, type Reply, seeOther } from '../reply.js'
import type { HandlerContext } from './context.js'

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
