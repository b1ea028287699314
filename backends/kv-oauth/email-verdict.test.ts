import { expect, it } from 'vitest'
import { signInAt } from './testing/scripted-provider.js'
import { describeOnEveryStore } from './testing/scripted-scene.js'

const EMAIL = 'ada@example.test'
const VERDICTS: [unknown, boolean | undefined][] = [
  [true, true],
  [false, false],
  ['true', true],
  ['True', true],
  ['false', false],
  ['', undefined],
  ['yes', undefined],
  ['1', undefined],
  [1, undefined],
  [null, undefined],
  [undefined, undefined],
  [[true], undefined],
  [{ verified: true }, undefined],
]

describeOnEveryStore('email_verified', (scene) => {
  /** `emailVerified` of the session, its claims and the database. */
  const signedIn = async (...args: Parameters<typeof scene.create>): Promise<unknown[]> => {
    const backend = await scene.create(...args)
    const result = await backend.authenticate(await signInAt(backend))
    if (!result.ok) throw new Error(result.reason)
    const { rows } = await scene.pool.query<{ email_verified: boolean }>(
      'SELECT email_verified FROM auth_users WHERE id = $1',
      [result.user.id],
    )
    return [
      result.user.emailVerified,
      result.session.claims.email_verified,
      rows[0]?.email_verified,
    ]
  }
  const everywhere = (verdict: boolean | undefined): unknown[] => [
    verdict,
    verdict,
    verdict ?? false,
  ]
  let subjects = 0
  const subject = (): string => `subject-${(subjects += 1)}`

  it.each(VERDICTS)('is read from an id_token: %j', async (email_verified, verdict) => {
    scene.idp.claims = { sub: subject(), name: 'Ada', email: EMAIL, email_verified }
    expect(await signedIn('oidc')).toEqual(everywhere(verdict))
  })

  it.each(VERDICTS)('is read from the user info: %j', async (email_verified, verdict) => {
    const sub = subject()
    scene.idp.claims = { sub }
    scene.idp.userInfo = () => ({ json: { sub, name: 'Ada', email: EMAIL, email_verified } })
    expect(await signedIn('oidc')).toEqual(everywhere(verdict))
  })

  it.each(VERDICTS)('is read from plain OAuth 2.0: %j', async (verified, verdict) => {
    const id = subject()
    scene.idp.userInfo = () => ({ json: { id, email: EMAIL, mail: { verified } } })
    const userInfoFields = { subject: 'id', email: 'email', emailVerified: 'mail.verified' }
    expect(await signedIn('oauth', { userInfoFields })).toEqual(everywhere(verdict))
  })

  it.each(['true', true])('is read from a list of addresses: %j', async (yes) => {
    const id = subject()
    scene.idp.userInfo = () => ({ json: { id } })
    scene.idp.emails = () => ({ json: [{ email: EMAIL, primary: yes, verified: yes }] })
    const emailsEndpoint = `${scene.idp.issuer}/emails`
    expect(await signedIn('oauth', { emailsEndpoint })).toEqual(everywhere(true))
  })

  it.each([undefined, null, '', 1, ['ada@example.test'], `${'x'.repeat(1025)}@example.test`])(
    'is not kept without an address: %j',
    async (email) => {
      scene.idp.claims = { sub: subject(), name: 'Ada', email, email_verified: true }
      expect(await signedIn('oidc')).toEqual(everywhere(undefined))
    },
  )

  it('is not carried over to another address of a later sign-in', async () => {
    const person = { sub: subject(), name: 'Ada' }
    scene.idp.claims = { ...person, email: EMAIL, email_verified: 'true' }
    expect(await signedIn('oidc')).toEqual(everywhere(true))
    scene.idp.claims = { ...person, email: 'other@example.test' }
    expect(await signedIn('oidc')).toEqual(everywhere(undefined))
  })
})
