import type { IncomingMessage } from 'node:http'
import type Provider from 'oidc-provider'
import type { Context, Interaction, Middleware } from 'oidc-provider'
import { stylesheet } from '../pages/assets.js'
import { type DemoAccount, picturePath } from './demo-accounts.js'
import { consentPage, loginPage, messagePage, pictureSvg } from './provider-pages.js'

/** The path of an interaction. */
export const interactionPath = (uid: string): string => `/interaction/${uid}`

const MAX_FORM_BYTES = 4096

/** Serves the pages of the local provider: accounts, consent, pictures, stylesheet. */
export function providerInteraction(options: {
  provider: Provider
  accounts: readonly DemoAccount[]
  /** The client's display name. */
  client: string
  clientHref: string
}): Middleware {
  const { provider, accounts, client, clientHref } = options

  const show = async (ctx: Context): Promise<void> => {
    const interaction = await provider.interactionDetails(ctx.req, ctx.res)
    const { prompt, params, session, uid } = interaction
    const action = interactionPath(uid)
    const account = accounts.find(({ id }) => id === session?.accountId)
    ctx.type = 'html'
    if (prompt.name !== 'consent' || !account) {
      const loginHint = typeof params.login_hint === 'string' ? params.login_hint : undefined
      ctx.body = loginPage({ action, client, accounts, loginHint })
      return
    }
    const scopes = typeof params.scope === 'string' ? params.scope.split(' ') : []
    const switchHref = authorizationUrl(provider, { ...params, prompt: 'login consent' })
    ctx.body = consentPage({ action, client, account, scopes, switchHref })
  }

  const answer = async (ctx: Context): Promise<void> => {
    const interaction = await provider.interactionDetails(ctx.req, ctx.res)
    const form = await readForm(ctx.req)
    const decision = form.get('decision')
    const account = accounts.find(({ id }) => id === form.get('accountId'))
    const finish = async (result: Record<string, unknown>, merge = false): Promise<void> =>
      seeOther(
        ctx,
        await provider.interactionResult(ctx.req, ctx.res, result, {
          mergeWithLastSubmission: merge,
        }),
      )
    if (decision === 'deny') {
      return finish({ error: 'access_denied', error_description: 'The user denied the request.' })
    }
    if (interaction.prompt.name !== 'consent' && account) {
      return finish({ login: { accountId: account.id }, select_account: {} })
    }
    if (interaction.prompt.name === 'consent' && decision === 'allow') {
      return finish({ consent: { grantId: await allow(provider, interaction) } }, true)
    }
    // The form belongs to an earlier step (back button): show the current step.
    seeOther(ctx, interactionPath(interaction.uid))
  }

  return async (ctx, next) => {
    const get = ctx.method === 'GET' || ctx.method === 'HEAD'
    if (ctx.path.startsWith('/interaction/')) {
      ctx.set('Cache-Control', 'no-store')
      await (get ? show(ctx) : answer(ctx)).catch((error: unknown) =>
        expired(ctx, clientHref, error),
      )
    } else if (get && ctx.path === '/') {
      ctx.type = 'html'
      ctx.body = messagePage({
        title: 'This provider is for trying it out',
        text: `It signs in ${accounts.map(({ name }) => name).join(', ')} without a password.`,
        link: { href: clientHref, label: 'Go to the service' },
      })
    } else if (get && ctx.path === stylesheet.path) {
      ctx.type = 'css'
      ctx.body = stylesheet.text
    } else {
      const pictured = get && accounts.find((account) => picturePath(account) === ctx.path)
      if (!pictured) return next()
      ctx.type = 'svg'
      ctx.body = pictureSvg(pictured)
    }
  }
}

async function allow(provider: Provider, interaction: Interaction): Promise<string> {
  const { grantId, session, params, prompt } = interaction
  const grant =
    (grantId === undefined ? undefined : await provider.Grant.find(grantId)) ??
    new provider.Grant({
      accountId: session?.accountId ?? '',
      clientId: String(params.client_id),
    })
  const { missingOIDCScope, missingOIDCClaims } = prompt.details
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '))
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims)
  return grant.save()
}

function authorizationUrl(provider: Provider, params: Record<string, unknown>): string {
  const url = new URL(provider.urlFor('authorization'))
  for (const [name, value] of Object.entries(params)) {
    if (typeof value === 'string') url.searchParams.set(name, value)
  }
  return url.href
}

function seeOther(ctx: Context, url: string): void {
  ctx.redirect(url)
  ctx.status = 303
}

/** Handles an unknown interaction: it was finished, it has expired, or the provider restarted. */
function expired(ctx: Context, clientHref: string, error: unknown): void {
  if ((error as { name?: unknown }).name !== 'SessionNotFound') throw error
  ctx.status = 400
  ctx.type = 'html'
  ctx.body = messagePage({
    title: 'This sign-in has expired',
    text: 'It was finished, took too long, or began before the provider was restarted.',
    link: { href: clientHref, label: 'Start again' },
  })
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_FORM_BYTES) return new URLSearchParams()
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}
