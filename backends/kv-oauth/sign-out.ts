import {
  type AuthnRequest,
  clearCookie,
  type InteractiveFlowPort,
  providerError,
  type SignOutResult,
} from '@netscript/plugin-auth-core'
import { getClientConfiguration, metadataOf } from './configuration.js'
import type { KvOAuthContext } from './context.js'
import { emit } from './events.js'
import type { OAuthProvider } from './provider.js'
import { revokeAtProvider } from './tokens.js'
import { sessionIdOf } from './session-cookie.js'
import { LOG_OUT_RETURN, LOG_OUT_TICKET, openTransaction, takeTransaction } from './transaction.js'

/** Many servers limit headers to 8 KiB. A longer hint is omitted; client_id identifies the client. */
const MAX_HINT = 6 * 1024

/** Parameters of OpenID Connect RP-Initiated Logout 1.0 section 2. */
const STANDARD_PARAMS = {
  id_token_hint: '{id_token}',
  post_logout_redirect_uri: '{return_uri}',
  state: '{state}',
}

interface LogOutTicket {
  providerId: string
  idToken: string
  returnTo: string
}

interface LogOutReturn {
  returnTo: string
}

/** Ends the caller's session, first here, then at the provider if possible. */
export async function signOut(
  context: KvOAuthContext,
  request: AuthnRequest,
  { everywhere, returnTo }: { everywhere: boolean; returnTo?: string },
): Promise<SignOutResult> {
  const { sessionName, secure } = context.cookies
  const cleared = clearCookie(sessionName, { secure })
  const sessionId = sessionIdOf(context, request)
  if (sessionId === undefined) return { setCookies: [cleared] }
  const own = await context.sessions.get(sessionId)
  if (!own) return { setCookies: [cleared] }
  const [tokens, linked] = await Promise.all([
    context.tokens.read(own, own.providerId),
    context.tokens.readLinked(own),
  ])
  if (everywhere) {
    // End the caller's own session last, so that a partly failed sign-out can be repeated.
    await context.sessions.revokeByUser(own.userId, 'signed-out-everywhere', { except: sessionId })
  }
  const record = await context.sessions.revoke(sessionId, 'signed-out')
  if (!record) return { setCookies: [cleared] }
  context.log.info(
    {
      event: 'signed-out',
      provider: record.providerId,
      userId: record.userId,
      sessionId,
      everywhere,
    },
    'signed out',
  )
  const { userId, providerId } = record
  await emit(context, 'onSignOut', { userId, providerId, sessionId, everywhere })
  const provider = context.providers.get(record.providerId)
  const revoked = [...linked].map(async ([id, linkedTokens]) => {
    const other = context.providers.get(id)
    if (other) await revokeAtProvider(context, other, linkedTokens)
  })
  const [ticket] = await Promise.all([
    provider && openTicket(context, request, provider, { idToken: tokens?.idToken, returnTo }),
    provider && tokens && revokeAtProvider(context, provider, tokens),
    ...revoked,
  ])
  return {
    sessionId,
    setCookies: [cleared, ...(ticket?.setCookies ?? [])],
    ...(ticket && { logoutUrl: ticket.logoutUrl }),
  }
}

/** Creates a logout URL with a single-use ticket, to keep the id_token out of bodies and URLs. */
async function openTicket(
  context: KvOAuthContext,
  request: AuthnRequest,
  provider: OAuthProvider,
  { idToken, returnTo }: { idToken: string | undefined; returnTo: string | undefined },
): Promise<{ logoutUrl: string; setCookies: readonly string[] } | undefined> {
  if (idToken === undefined) return undefined
  try {
    const configuration = await getClientConfiguration(provider, context)
    if (metadataOf(configuration).end_session_endpoint === undefined) return undefined
    // Throws for an unusable endpoint in the metadata: better no logoutUrl than a broken one.
    const client = await import('openid-client')
    client.buildEndSessionUrl(configuration, {})
    const ticket: LogOutTicket = {
      providerId: provider.id,
      idToken,
      returnTo: returnTo ?? new URL('/', provider.redirectUri).href,
    }
    const { handle, setCookies } = await openTransaction(context, LOG_OUT_TICKET, request, ticket)
    const logoutUrl = siblingUrl(provider, 'logout')
    logoutUrl.searchParams.set('ticket', handle)
    return { logoutUrl: logoutUrl.href, setCookies }
  } catch (error) {
    // The user is signed out here. Without the provider there is just no logoutUrl.
    context.log.warn(
      { provider: provider.id, err: error },
      'The sign-out at the provider could not be prepared.',
    )
    return undefined
  }
}

/** The URL of another route next to the redirect URI. */
function siblingUrl(provider: OAuthProvider, route: string): URL {
  const url = new URL(provider.redirectUri)
  url.search = ''
  url.pathname = url.pathname.replace(/(?:\/callback\/[^/]+|\/[^/]*)$/, `/${route}`)
  return url
}

const LOCAL_ONLY =
  'You are signed out here, but cannot be signed out at the provider. Do it on its own page.'

/** Consumes the ticket and builds the URL of the end_session_endpoint (RP-Initiated Logout section 2). */
export const startLogout =
  (context: KvOAuthContext): InteractiveFlowPort['startLogout'] =>
  async (request, ticket) => {
    const { payload, setCookies } = await takeTransaction<LogOutTicket>(
      context,
      LOG_OUT_TICKET,
      request,
      ticket,
    )
    const provider = context.providers.get(payload.providerId)
    if (!provider) {
      throw providerError(payload.providerId, LOCAL_ONLY, {
        setCookies,
      })
    }
    const [client, configuration] = await Promise.all([
      import('openid-client'),
      getClientConfiguration(provider, context),
    ])
    const { signOutParams = STANDARD_PARAMS } = provider
    const back: LogOutReturn = { returnTo: payload.returnTo }
    // Without a returned state, the user ends up at the default return address.
    const returning = Object.values(signOutParams).some((value) => value.includes('{state}'))
      ? await openTransaction(context, LOG_OUT_RETURN, request, back)
      : undefined
    const filled = fillIn(signOutParams, {
      '{return_uri}': siblingUrl(provider, 'logged-out').href,
      '{id_token}': payload.idToken.length <= MAX_HINT ? payload.idToken : undefined,
      '{state}': returning?.handle,
    })
    let url: URL
    try {
      url = client.buildEndSessionUrl(configuration, filled)
    } catch (cause) {
      throw providerError(provider.id, LOCAL_ONLY, {
        cause,
        setCookies,
      })
    }
    return { redirectUrl: url.href, setCookies: [...setCookies, ...(returning?.setCookies ?? [])] }
  }

/** Replaces placeholders. A parameter whose value is absent is omitted. */
function fillIn(
  parameters: Readonly<Record<string, string>>,
  values: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([name, template]) => {
      const used = Object.keys(values).filter((placeholder) => template.includes(placeholder))
      if (used.some((placeholder) => values[placeholder] === undefined)) return []
      const fill = (text: string, placeholder: string): string =>
        text.replaceAll(placeholder, () => values[placeholder] ?? '')
      return [[name, used.reduce(fill, template)]]
    }),
  )
}

/** Consumes the state that the provider returned. */
export const finishLogout =
  (context: KvOAuthContext): InteractiveFlowPort['finishLogout'] =>
  async (request, state) => {
    const { payload, setCookies } = await takeTransaction<LogOutReturn>(
      context,
      LOG_OUT_RETURN,
      request,
      state,
    )
    return { returnTo: payload.returnTo, setCookies }
  }
