import { randomBytes, randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeyring } from '../../backends/keyring.js'
import type { AdmissionRules } from '../../backends/kv-oauth/admission.js'
import type { Admit } from '../../backends/kv-oauth/admit.js'
import { createOperator } from '../../backends/kv-oauth/operator.js'
import { scriptedScene } from '../../backends/kv-oauth/testing/scripted-scene.js'
import { createLogger } from '../log.js'
import { createTokenIssuer } from '../tokens/token-issuer.js'
import { type AdaptersUnderTest, startAdapters } from './vectors/adapters.js'
import { ADAPTERS, type Answer } from './vectors/vector.js'

const ORIGIN = 'http://localhost:8094'
const API = '/api/v1/auth'
const AUDIENCE = 'https://orders.example'

describe.each(ADAPTERS)('roles and admission over the %s adapter', (adapter) => {
  const scene = scriptedScene()
  let adapters: AdaptersUnderTest
  beforeAll(async () => {
    adapters = await startAdapters()
  })
  afterAll(() => adapters.close())

  /** A browser at a backend with these rules. */
  async function openBrowser(options: { admission?: AdmissionRules; admit?: Admit } = {}) {
    const { admission, admit } = options
    const backend = await scene.create('oidc', { admission }, { ...(admit && { admit }) })
    const keyring = createKeyring([randomBytes(32)])
    const tokens = createTokenIssuer({
      ...{ pool: scene.pool, keyring, origin: ORIGIN, audiences: [AUDIENCE] },
    })
    const logger = createLogger('silent')
    const send = adapters.open(adapter, { backend, tokens, logger, origin: ORIGIN })
    const cookies = new Map<string, string>()
    const ask = async (method: string, path: string, json?: object): Promise<Answer> => {
      const body = json && Buffer.from(JSON.stringify(json))
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const answer = await send({
        ...{ method, target: API + path, body },
        headers: [
          ['host', 'localhost:8094'],
          ['origin', ORIGIN],
          ['accept', 'application/json'],
          ...(cookie === '' ? [] : [['cookie', cookie] as const]),
          ...(body
            ? [
                ['content-type', 'application/json'] as const,
                ['content-length', String(body.byteLength)] as const,
              ]
            : []),
        ],
      })
      for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (value === '') cookies.delete(name)
        else cookies.set(name, value)
      }
      return answer
    }
    const signIn = async (): Promise<Answer> => {
      const { redirectUrl, state } = JSON.parse((await ask('POST', '/signin', {})).body) as {
        redirectUrl: string
        state: string
      }
      const code = new URL(redirectUrl).searchParams.get('nonce') ?? ''
      return ask('GET', `/callback?${new URLSearchParams({ state, code }).toString()}`)
    }
    return { ask, signIn }
  }

  const DOMAIN: AdmissionRules = { emailDomains: ['kick.example'] }
  const verified = (email: string) => ({ email, email_verified: true })
  const throws: Admit = () => {
    throw new Error('the directory is down')
  }
  const hangs: Admit = () => new Promise(() => undefined)

  it.each<[string, { admission?: AdmissionRules; admit?: Admit }, object]>([
    ['a Cyrillic letter in the domain', { admission: DOMAIN }, verified('a@kiсk.example')],
    ['the Kelvin sign in the domain', { admission: DOMAIN }, verified('a@\u212aick.example')],
    ['two @', { admission: DOMAIN }, verified('a@evil.example@kick.example')],
    ['a subdomain', { admission: DOMAIN }, verified('a@x.kick.example')],
    ['a domain that begins like it', { admission: DOMAIN }, verified('a@kick.example.evil.test')],
    [
      'an address that is not verified',
      { admission: DOMAIN },
      { email: 'a@kick.example', email_verified: false },
    ],
    ['an address without a verdict', { admission: DOMAIN }, { email: 'a@kick.example' }],
    [
      'groups at another address',
      { admission: { groups: ['staff'] } },
      { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://x' } } },
    ],
    ['a hook that throws', { admit: throws }, {}],
    ['a hook that never answers', { admit: hangs }, {}],
  ])('refuse %s, and store nothing', async (_what, options, claims) => {
    const sub = randomUUID()
    scene.idp.claims = { sub, ...claims }
    const { ask, signIn } = await openBrowser(options)
    const answer = await signIn()
    expect(answer.status).toBe(403)
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'AUTH_NOT_ADMITTED' })
    expect(answer.body).not.toMatch(/directory|groups|email|kick/)
    expect(JSON.parse((await ask('GET', '/session')).body)).toEqual({ authenticated: false })
    const stored = await scene.pool.query('SELECT FROM auth_accounts WHERE subject = $1', [sub])
    expect(stored.rowCount).toBe(0)
  })

  it('admit an address of the domain', async () => {
    scene.idp.claims = { sub: randomUUID(), ...verified('a@KICK.example') }
    const { ask, signIn } = await openBrowser({ admission: DOMAIN })
    expect((await signIn()).status).toBe(200)
    expect(JSON.parse((await ask('GET', '/session')).body)).toMatchObject({ authenticated: true })
  })

  it('have roles of the operator in the next session and token, and in an old token for at most five minutes', async () => {
    scene.idp.claims = { sub: randomUUID(), roles: ['member'] }
    const { ask, signIn } = await openBrowser()
    await signIn()
    const session = async () =>
      (
        JSON.parse((await ask('GET', '/session')).body) as {
          session: { userId: string; roles: string[] }
        }
      ).session
    const token = async () => {
      const answer = await ask('POST', '/token', { audience: AUDIENCE })
      return decodeJwt((JSON.parse(answer.body) as { token: string }).token)
    }
    const operator = createOperator(scene.pool)
    const { userId } = await session()
    await operator.addRoles(userId, ['admin'])
    expect((await session()).roles).toEqual(['admin', 'member'])
    const issued = await token()
    expect(issued.roles).toEqual(['admin', 'member'])
    expect((issued.exp ?? Infinity) - (issued.iat ?? 0)).toBeLessThanOrEqual(300)
    await operator.removeRoles(userId, ['admin'])
    expect((await session()).roles).toEqual(['member'])
    expect((await token()).roles).toEqual(['member'])
  })
})
