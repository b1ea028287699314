import type {
  CallbackResponse,
  DescribeResponse,
  SigninInput,
  SigninResponse,
} from '@netscript/auth-contract'
import { AuthError, type AuthnRequest } from '@netscript/plugin-auth-core'
import { ok, type Reply, seeOther } from '../engine/message.js'
import { accountsOf } from './accounts.js'
import { type HandlerContext, interactiveFlow } from './context.js'
import { requireRecentSignIn } from './session.js'

/** GET /describe: the metadata of the active backend. */
export function describe({ backend, tokens }: HandlerContext): Reply<200, DescribeResponse> {
  return ok({
    backend: backend.name,
    capabilities: {
      ...backend.capabilities,
      interactive: backend.interactive !== undefined,
      providerTokens: backend.getProviderToken !== undefined,
      backChannelLogout: backend.backChannelLogout !== undefined,
      linkAccounts: backend.accounts !== undefined,
      selfService: backend.selfService !== undefined,
    },
    tokens: tokens !== undefined,
    providers: [...backend.providers.listProviders()],
    ...(backend.signInHint !== undefined && { signInHint: backend.signInHint }),
  })
}

/** POST /signin: starts a sign-in. A form post is redirected to the provider. */
export async function signin(
  context: HandlerContext,
  request: AuthnRequest,
  input: SigninInput,
  { isForm }: { isForm: boolean },
): Promise<Reply<200, SigninResponse> | Reply<303, undefined>> {
  const { backend, returnTo } = context
  if (input.link) accountsOf(backend, 'linkAccount')
  const flow = interactiveFlow(backend, 'sign-in')
  const caller = input.link ? await requireRecentSignIn(context, request) : undefined
  const { providerId, redirectUrl, state, setCookies } = await flow.signIn(request, {
    returnTo: returnTo.resolve(input.redirectTo),
    ...(input.providerId !== undefined && { providerId: input.providerId }),
    ...(input.loginHint !== undefined && { loginHint: input.loginHint }),
    ...(input.scopes !== undefined && { scopes: input.scopes }),
    ...(input.prompt !== undefined && { prompt: input.prompt }),
    ...(input.maxAge !== undefined && { maxAge: input.maxAge }),
    ...(input.acrValues !== undefined && { acrValues: input.acrValues }),
    ...(input.uiLocales !== undefined && { uiLocales: input.uiLocales }),
    ...(caller && { linkTo: caller.session }),
  })
  const cookies = [...(caller?.setCookies ?? []), ...setCookies]
  return isForm
    ? seeOther(redirectUrl, cookies)
    : ok({ started: true, providerId, redirectUrl, state }, cookies)
}

/** GET /callback: completes a sign-in. `query` is the raw query, duplicates included. */
export async function callback(
  context: HandlerContext,
  request: AuthnRequest,
  query: URLSearchParams,
  { wantsJson }: { wantsJson: boolean },
): Promise<Reply<200, CallbackResponse> | Reply<303, undefined>> {
  const { backend, returnTo } = context
  const flow = interactiveFlow(backend, 'callback')
  try {
    const result = await flow.handleCallback(request, query)
    // The allowed targets may have changed since the sign-in started.
    const target = stillAllowed(context, result.returnTo)
    return wantsJson
      ? ok({ completed: true, redirectTo: target, subject: result.subject }, result.setCookies)
      : seeOther(target, result.setCookies)
  } catch (error) {
    if (!wantsJson && isLostTransaction(error) && (await backend.authenticate(request)).ok) {
      // The back button or a second click: the user is signed in already.
      return seeOther(returnTo.default)
    }
    throw error
  }
}

/** Whether the state is not valid here: used, expired or from another browser. */
export function isLostTransaction(error: unknown): error is AuthError {
  return (
    error instanceof AuthError &&
    (error.code === 'AUTH_TRANSACTION_MISSING' || error.code === 'AUTH_TRANSACTION_EXPIRED')
  )
}

/** The target if it is still allowed, else the default: the sign-in itself succeeded. */
export function stillAllowed({ returnTo }: HandlerContext, target: string): string {
  try {
    return returnTo.resolve(target)
  } catch {
    return returnTo.default
  }
}
