/**
 * The typed fetch client of the authentication API, for browsers. Runs in Node as well.
 *
 * @module
 */
export type * from './auth-api.js'
export * from './auth-client.js'
export * from './error.js'
export type { Fetch } from './exchange.js'
export type { CallbackQuery, CallbackResponse } from '../contract/callback.js'
export type { DescribeResponse, ProviderDescription } from '../contract/describe.js'
export type { AuthSession, AuthUser, MeResponse, SessionResponse } from '../contract/session.js'
export type { RevokedResponse, SessionsResponse, SessionSummary } from '../contract/sessions.js'
export type { SigninInput, SigninResponse } from '../contract/signin.js'
export type { SignoutInput, SignoutResponse } from '../contract/signout.js'
