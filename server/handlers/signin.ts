import type { SigninInput, SigninResponse } from '@netscript/auth-contract'
import type { AuthnRequest } from '@netscript/plugin-auth-core'
import { ok, type Reply, seeOther } from '../reply.js'
import { type HandlerContext, interactiveFlow } from './context.js'

/** POST /signin: starts a sign-in. A form post is redirected to the provider. */
export async function signin(
  { backend, returnTo }: HandlerContext,
  request: AuthnRequest,
  input: SigninInput,
  { isForm }: { isForm: boolean },
): Promise<Reply<200, SigninResponse> | Reply<303, undefined>> {
  const flow = interactiveFlow(backend, 'sign-in')
  const { providerId, redirectUrl, state, setCookies } = await flow.signIn(request, {
    returnTo: returnTo.resolve(input.redirectTo),
    ...(input.providerId !== undefined && { providerId: input.providerId }),
    ...(input.loginHint !== undefined && { loginHint: input.loginHint }),
    ...(input.scopes !== undefined && { scopes: input.scopes }),
  })
  return isForm
    ? seeOther(redirectUrl, setCookies)
    : ok({ started: true, providerId, redirectUrl, state }, setCookies)
}
