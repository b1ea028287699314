import { expect, it } from 'vitest'
import { AuthError } from '../../backends/errors.js'
import type { AuthBackendPort } from '../../backends/port.js'
import { toAuthnRequest } from '../../backends/request.js'
import { createReturnToPolicy } from '../../backends/return-to.js'
import { token } from './token.js'

const renewed = ['wos-session=renewed; Path=/']

it('keeps the cookie of a session that was renewed when the token cannot be issued', async () => {
  const backend = {
    authenticate: async () => ({ ok: true, session: { id: 'id' }, setCookies: renewed }),
  } as unknown as AuthBackendPort
  const away = () => Promise.reject(new AuthError('STORE_UNAVAILABLE', 'Away.', { cause: 'why' }))
  const tokens = { checkAudience() {}, issue: away, publicKeys: away, maintain: away }
  const context = { backend, tokens, returnTo: createReturnToPolicy('http://localhost') }
  const asking = token(context, toAuthnRequest({ headers: {} }), { audience: 'a' })
  await expect(asking).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    detail: 'Away.',
    cause: 'why',
    setCookies: renewed,
  })
})
