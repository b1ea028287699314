import assert from 'node:assert/strict'
import { ProviderToken } from '@netscript/auth-contract'
import { isAuthError } from '../../errors.js'
import type { AuthBackendPort } from '../../port.js'
import type { AuthBackendCheck } from '../check.js'
import { requestWith, type Scene, signIn } from '../scene.js'
import { skip } from '../skip.js'
import { expectCode } from './interactive.js'

type GetProviderToken = NonNullable<AuthBackendPort['getProviderToken']>

export const PROVIDER_TOKEN_CHECKS: readonly AuthBackendCheck[] = [
  {
    id: 'provider-token-is-of-its-user',
    title: 'the provider token of a session is valid to the contract, and no token of another user',
    async run(scene) {
      const tokenOf = providerTokens(scene)
      const [one, other] = [await signIn(scene), await signIn(scene)]
      const tokens: string[] = []
      for (const { session } of [one, other]) {
        const token = await tokenOf(session).catch((error: unknown) => {
          if (isAuthError(error) && error.code === 'PROVIDER_TOKEN_UNAVAILABLE') return undefined
          throw error
        })
        if (!token) return skip('the sessions of the harness have no provider tokens')
        const parsed = ProviderToken.safeParse(token)
        assert.ok(parsed.success, `the token is not valid: ${parsed.error?.message}`)
        tokens.push(token.accessToken)
      }
      assert.notEqual(tokens[0], tokens[1], 'two users have the same provider token')
    },
  },
  {
    id: 'provider-token-ends-with-session',
    title: 'an ended session and an unknown one have no provider token: UNAUTHORIZED',
    async run(scene) {
      const tokenOf = providerTokens(scene)
      const { headers, session } = await signIn(scene)
      await scene.backend.sessions.signOut(requestWith(headers), { everywhere: false })
      await expectCode(tokenOf(session), ['UNAUTHORIZED'], 'the token of an ended session')
      for (const id of ['unknown', '', "' OR 1=1 --", 'x'.repeat(1000)]) {
        await expectCode(tokenOf({ id }), ['UNAUTHORIZED'], 'the token of an unknown session')
      }
    },
  },
]

function providerTokens({ backend }: Scene): GetProviderToken {
  if (!backend.getProviderToken) return skip('the backend keeps no provider tokens')
  return (session, options) => backend.getProviderToken!(session, options)
}
