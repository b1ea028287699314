import type { BackChannelLogoutResponse } from '@netscript/auth-contract'
import { AuthError } from '@netscript/plugin-auth-core'
import { ok, type Reply } from '../reply.js'
import type { HandlerContext } from './context.js'

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
