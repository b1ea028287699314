import assert from 'node:assert/strict'
import type { AuthErrorCode } from '@netscript/auth-contract'
import { AuthError } from '../errors.js'
import type { InteractiveFlowPort, SignInResult } from '../port.js'
import type { AuthnRequest } from '../request.js'
import { missingHook, rejection, requestWith, type Scene, skip } from './scene.js'
import { applySetCookies, parseCookieHeader } from './set-cookie.js'

export const RETURN_TO = 'http://localhost/after?x=1'

/** A sign-in that was started. */
export interface Flow {
  readonly signedIn: SignInResult
  readonly url: URL
  /** A request of the browser that started it. */
  readonly browser: AuthnRequest
}

export function interactive({ backend }: Scene): InteractiveFlowPort {
  return backend.interactive ?? skip('the backend is not interactive')
}

/** What a sign-in may require. */
type SignInInput = Partial<Parameters<InteractiveFlowPort['signIn']>[1]>

export async function begin(scene: Scene, cookie?: string, input?: SignInInput): Promise<Flow> {
  const before = requestWith(cookie === undefined ? {} : { cookie })
  const signedIn = await interactive(scene).signIn(before, {
    returnTo: RETURN_TO,
    ...input,
  })
  assert.ok(URL.canParse(signedIn.redirectUrl), 'the redirectUrl is not an absolute URL')
  const browser = requestOfCallback(signedIn, applySetCookies(cookie, signedIn.setCookies))
  return { signedIn, url: new URL(signedIn.redirectUrl), browser }
}

/** A request to the redirect URI, where the provider redirects the browser. */
function requestOfCallback({ redirectUrl }: SignInResult, cookie: string): AuthnRequest {
  const redirectUri = new URL(redirectUrl).searchParams.get('redirect_uri')
  const path = redirectUri === null ? undefined : new URL(redirectUri, redirectUrl).pathname
  return requestWith({ cookie }, path)
}

/** The response of a provider when the user declines (RFC 6749 section 4.1.2.1). */
export const denied = (state: string): URLSearchParams =>
  new URLSearchParams({ error: 'access_denied', state })

/** The callback of a user who declined, in the browser that started the sign-in. */
export function callBack(scene: Scene, signedIn: SignInResult): Promise<unknown> {
  const cookie = applySetCookies(undefined, signedIn.setCookies)
  const request = requestOfCallback(signedIn, cookie)
  return interactive(scene).handleCallback(request, denied(signedIn.state))
}

export async function approved(scene: Scene, cookie?: string, input?: SignInInput) {
  const { approve } = scene.harness
  interactive(scene)
  if (!approve) return missingHook('approve')
  const flow = await begin(scene, cookie, input)
  return { ...flow, query: await approve(flow.signedIn.redirectUrl) }
}

export async function complete(scene: Scene, before?: string, input?: SignInInput) {
  const { browser, query } = await approved(scene, before, input)
  const result = await interactive(scene).handleCallback(browser, query)
  const cookie = applySetCookies(browser.header('cookie'), result.setCookies)
  assert.ok(parseCookieHeader(cookie).length > 0, 'the callback sets no session cookie')
  return { result, cookie }
}

export async function errorOf(
  promise: Promise<unknown>,
  what = 'the callback',
): Promise<AuthError> {
  const error = await rejection(promise, what)
  assert.ok(error instanceof AuthError, `${what} must throw an AuthError, but threw ${error}`)
  return error
}

export async function expectCode(
  promise: Promise<unknown>,
  codes: readonly AuthErrorCode[],
  what: string,
): Promise<void> {
  const { code } = await errorOf(promise, what)
  assert.ok(codes.includes(code), `${what} must be ${codes.join(' or ')}, but is ${code}`)
}
