import assert from 'node:assert/strict'
import type { AuthErrorCode } from '@netscript/auth-contract'
import { AuthError } from '../../errors.js'
import {
  type AuthBackendChecks,
  authenticate,
  expectAlive,
  expectNobody,
  expectOver,
  requestOf,
  requestWith,
  signIn,
} from '../scene.js'
import { isCleared, parseSetCookie } from '../set-cookie.js'
import {
  approved,
  begin,
  callBack,
  complete,
  denied,
  errorOf,
  expectCode,
  type Flow,
  interactive,
  RETURN_TO,
} from '../sign-in-flow.js'

const LOST: readonly AuthErrorCode[] = ['AUTH_TRANSACTION_MISSING', 'AUTH_TRANSACTION_EXPIRED']
const NOT_LOST: readonly AuthErrorCode[] = ['AUTH_ACCESS_DENIED', 'AUTH_PROVIDER_ERROR']

export const INTERACTIVE_CHECKS: AuthBackendChecks = {
  'sign-in-redirects-to-provider': {
    title: 'a sign-in redirects to the provider with state and an S256 challenge',
    async run(scene) {
      const { signedIn, url } = await begin(scene)
      assert.ok(scene.backend.providers.getProvider(signedIn.providerId), 'the provider is unknown')
      assert.match(url.protocol, /^https?:$/, 'the redirect is not to a web page')
      assert.equal(url.searchParams.get('state'), signedIn.state, 'the address has another state')
      assert.ok(signedIn.state.length >= 22, 'the state is too short to be unguessable')
      assert.equal(url.searchParams.get('code_challenge_method'), 'S256', 'the method is not S256')
      const challenge = url.searchParams.get('code_challenge') ?? ''
      assert.match(challenge, /^[\w-]{43}$/, 'the code_challenge is not a SHA-256 hash')
    },
  },
  'sign-ins-share-nothing': {
    title: 'two sign-ins do not share state, challenge or cookie',
    async run(scene) {
      const [a, b] = [await begin(scene), await begin(scene)]
      assert.notEqual(a.signedIn.state, b.signedIn.state, 'two sign-ins share a state')
      const challenge = ({ url }: Flow) => url.searchParams.get('code_challenge')
      assert.notEqual(challenge(a), challenge(b), 'two sign-ins share a code_challenge')
      assert.notDeepEqual(
        a.signedIn.setCookies,
        b.signedIn.setCookies,
        'two sign-ins share a cookie',
      )
    },
  },
  'sign-in-is-bound-to-browser': {
    title: 'a sign-in sets a cookie whose secret is not in the redirect URL',
    async run(scene) {
      const { signedIn } = await begin(scene)
      const cookies = signedIn.setCookies.map(parseSetCookie).filter((one) => !isCleared(one))
      assert.ok(cookies.length > 0, 'no cookie binds the sign-in to the browser')
      const inAddress = ({ value }: { value: string }) => signedIn.redirectUrl.includes(value)
      assert.ok(!cookies.every(inAddress), 'the redirect URL contains every cookie value')
    },
  },
  'sign-in-refuses-unknown-provider': {
    title: 'a sign-in at an unknown provider is a VALIDATION_ERROR',
    async run(scene) {
      const flow = interactive(scene)
      for (const providerId of ['missing', '__proto__', '']) {
        const asked = flow.signIn(requestWith({}), { providerId, returnTo: RETURN_TO })
        await expectCode(asked, ['VALIDATION_ERROR'], 'a sign-in at an unknown provider')
      }
    },
  },
  'sign-in-grants-no-unknown-scope': {
    title: 'a made-up scope is refused or not granted',
    async run(scene) {
      const scope = 'conformance:made-up'
      try {
        const { cookie } = await complete(scene, undefined, { scopes: [scope] })
        const answer = await authenticate(scene, requestWith({ cookie }), 'after the callback')
        assert.ok(answer.ok, 'no user is signed in after the callback')
        const granted = [...answer.session.scopes, ...answer.principal.scopes]
        assert.ok(!granted.includes(scope), 'the session has a scope that the caller made up')
      } catch (error) {
        if (error instanceof AuthError && error.code === 'VALIDATION_ERROR') return
        throw error
      }
    },
  },
  'sign-in-keeps-session': {
    title: 'starting a sign-in does not change the current session',
    async run(scene) {
      const flow = interactive(scene)
      const person = await signIn(scene)
      const { setCookies } = await flow.signIn(requestOf(person), { returnTo: RETURN_TO })
      const names = new Set(person.cookies.map(([name]) => name))
      for (const { name } of setCookies.map(parseSetCookie)) {
        assert.ok(!names.has(name), `starting a sign-in sets the session cookie ${name}`)
      }
      await expectAlive(scene, person, 'after a sign-in was started')
    },
  },
  'callback-needs-transaction-cookie': {
    title: 'a callback in a browser that started no sign-in is AUTH_TRANSACTION_MISSING',
    async run(scene) {
      const flow = interactive(scene)
      const { signedIn } = await begin(scene)
      for (const query of [
        denied(signedIn.state),
        new URLSearchParams({ state: signedIn.state, code: 'code' }),
        new URLSearchParams({ state: 'unknown', code: 'code' }),
        new URLSearchParams({ code: 'code' }),
        new URLSearchParams(),
      ]) {
        const asked = flow.handleCallback(requestWith({}), query)
        const whom = `a callback with ${query.toString() || 'nothing'} and without a cookie`
        await expectCode(asked, ['AUTH_TRANSACTION_MISSING'], whom)
      }
      await expectCode(callBack(scene, signedIn), NOT_LOST, 'the callback in the right browser')
    },
  },
  'foreign-callback-takes-nothing': {
    title:
      'a callback in the browser of another sign-in is refused and consumes neither transaction',
    async run(scene) {
      const flow = interactive(scene)
      const [mine, theirs] = [await begin(scene), await begin(scene)]
      const asked = flow.handleCallback(mine.browser, denied(theirs.signedIn.state))
      await expectCode(asked, LOST, 'a callback with the state of another browser')
      await expectCode(
        callBack(scene, theirs.signedIn),
        NOT_LOST,
        'the callback of the other browser',
      )
      await expectCode(
        callBack(scene, mine.signedIn),
        NOT_LOST,
        'the callback of the first browser',
      )
    },
  },
  'transaction-works-once': {
    title: 'a transaction is consumed by the first callback, also by one with an error',
    async run(scene) {
      const { signedIn } = await begin(scene)
      const callbacks = Array.from({ length: 8 }, () => errorOf(callBack(scene, signedIn)))
      const codes = (await Promise.all(callbacks)).map(({ code }) => code)
      const winners = codes.filter((code) => NOT_LOST.includes(code))
      assert.equal(
        winners.length,
        1,
        `${winners.length} of eight concurrent callbacks consumed the transaction`,
      )
      assert.ok(
        codes.every((code) => NOT_LOST.includes(code) || LOST.includes(code)),
        `a callback failed otherwise: ${codes.join(', ')}`,
      )
      await expectCode(callBack(scene, signedIn), LOST, 'a repeated callback')
    },
  },
  'transaction-cookie-is-cleared': {
    title: 'a callback that consumes the transaction clears its cookie',
    async run(scene) {
      const { signedIn } = await begin(scene)
      const error = await errorOf(callBack(scene, signedIn))
      const cleared = error.setCookies.map(parseSetCookie).filter(isCleared)
      const names = signedIn.setCookies.map((cookie) => parseSetCookie(cookie).name)
      assert.ok(
        cleared.some(({ name }) => names.includes(name)),
        'the transaction cookie is not cleared',
      )
    },
  },
  'transaction-is-no-session': {
    title: 'a transaction cookie does not sign in',
    async run(scene) {
      const { signedIn, browser } = await begin(scene)
      const { cookies } = await signIn(scene)
      await expectNobody(scene, browser, 'a browser that has only started a sign-in')
      for (const { value } of signedIn.setCookies.map(parseSetCookie)) {
        for (const [name] of cookies) {
          const request = requestWith({ cookie: `${name}=${value}` })
          await expectNobody(scene, request, 'the value of a transaction cookie as session')
        }
      }
      const request = requestWith({ authorization: `Bearer ${signedIn.state}` })
      await expectNobody(scene, request, 'the state as bearer token')
    },
  },
  'session-is-no-transaction': {
    title: 'a session cookie does not complete a sign-in',
    async run(scene) {
      const flow = interactive(scene)
      const { signedIn } = await begin(scene)
      const { cookies } = await signIn(scene)
      for (const transaction of signedIn.setCookies.map(parseSetCookie)) {
        for (const [, value] of cookies) {
          const request = requestWith({ cookie: `${transaction.name}=${value}` })
          const asked = flow.handleCallback(request, denied(signedIn.state))
          await expectCode(asked, LOST, 'the value of a session cookie as transaction')
        }
      }
      await expectCode(callBack(scene, signedIn), NOT_LOST, 'the callback in the right browser')
    },
  },
  'unknown-logout-is-refused': {
    title: 'unknown logout tickets and logout states are refused',
    async run(scene) {
      const flow = interactive(scene)
      const { signedIn, browser } = await begin(scene)
      for (const handle of ['unknown', '', '__proto__', '\0', signedIn.state]) {
        await expectCode(flow.startLogout(browser, handle), LOST, 'an unknown logout ticket')
        await expectCode(flow.finishLogout(browser, handle), LOST, 'an unknown logout state')
      }
      await expectCode(callBack(scene, signedIn), NOT_LOST, 'the sign-in that was started before')
    },
  },
  'callback-signs-in': {
    title: 'an approved callback opens the session that it returns',
    async run(scene) {
      const { result, cookie } = await complete(scene)
      const answer = await authenticate(scene, requestWith({ cookie }), 'after the callback')
      assert.ok(answer.ok, 'no user is signed in after the callback')
      assert.equal(answer.session.id, result.sessionId, 'the callback names another session')
      assert.equal(answer.user.id, result.userId, 'the callback names another user')
      assert.equal(answer.session.subject, result.subject, 'the callback names another subject')
      assert.equal(result.returnTo, RETURN_TO, 'the return address has changed')
      const { setCookies, ...rest } = result
      for (const { value } of setCookies.map(parseSetCookie).filter((one) => !isCleared(one))) {
        assert.ok(!JSON.stringify(rest).includes(value), 'the result contains the session token')
      }
    },
  },
  'callback-ends-previous-session': {
    title: 'a callback ends the previous session of the browser and opens a new one',
    async run(scene) {
      const person = await signIn(scene)
      const [elsewhere, bystander] = [await signIn(scene, person), await signIn(scene)]
      const { cookie, result } = await complete(scene, person.headers.cookie)
      assert.notEqual(result.sessionId, person.session.id, 'the session id did not change')
      await expectOver(scene, person, 'the session that the browser brought')
      await expectAlive(scene, elsewhere, 'after a user signed in over another session')
      await expectAlive(scene, bystander, 'after another user signed in')
      const answer = await authenticate(scene, requestWith({ cookie }), 'after the callback')
      assert.ok(
        answer.ok && answer.session.id === result.sessionId,
        'the new session does not exist',
      )
    },
  },
  'callback-works-once': {
    title: 'repeating an approved callback opens only one session',
    async run(scene) {
      const { browser, query } = await approved(scene)
      const flow = interactive(scene)
      const tries = await Promise.allSettled(
        Array.from({ length: 5 }, () => flow.handleCallback(browser, query)),
      )
      const opened = tries.filter(({ status }) => status === 'fulfilled')
      assert.equal(
        opened.length,
        1,
        `${opened.length} of five concurrent callbacks opened a session`,
      )
      await expectCode(flow.handleCallback(browser, query), LOST, 'a replayed callback')
    },
  },
}
