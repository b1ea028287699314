import type { AuthnRequest } from '@netscript/plugin-auth-core'
import type { HandlerContext } from '../handlers/context.js'
import { stillAllowed } from '../handlers/sign-in.js'
import { ok, type Reply } from '../engine/message.js'
import { signedOut } from './home-page.js'
import { html, type Html, safeHref } from './html.js'
import { layout } from './layout.js'
import type { PasswordForms } from './password-forms.js'

/**
 * The sign-in page for applications behind a reverse proxy. Its buttons post to the service: a GET never
 * starts a sign-in.
 */
export async function signInPage(
  context: HandlerContext,
  request: AuthnRequest,
  {
    redirectTo,
    passwordForms,
  }: { redirectTo: string | undefined; passwordForms: PasswordForms | undefined },
): Promise<Reply<200, string>> {
  const { backend, returnTo } = context
  const target = redirectTo === undefined ? returnTo.default : stillAllowed(context, redirectTo)
  const { ok: isSignedIn, setCookies } = await backend.authenticate(request)
  const main = isSignedIn
    ? continueTo(target)
    : signedOut({
        redirectTo: target,
        providers: backend.providers.listProviders(),
        interactive: backend.interactive !== undefined,
        ...(backend.signInHint !== undefined && { signInHint: backend.signInHint }),
        ...(passwordForms && { passwordForms }),
      })
  return ok(layout({ title: isSignedIn ? 'You are signed in' : 'Sign in', main }), setCookies)
}

/** A link, since a redirect would loop at a proxy that refuses the session. */
const continueTo = (target: string): Html =>
  html`<h1>You are signed in</h1>
    <a class="button primary" href="${safeHref(target)}">Continue</a>`
