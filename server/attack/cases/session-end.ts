import assert from 'node:assert/strict'
import { API, type CaseDefinition } from '../target.js'

/** Attacks with an ended session. Each case needs its own sign-in. */
export const sessionEndAttacks: readonly CaseDefinition[] = [
  {
    name: 'a cookie kept after sign-out is anonymous',
    needs: ['session'],
    async run({ anotherPerson, send, whoIs }) {
      const { cookie, userId } = await anotherPerson()
      assert.equal(await whoIs(cookie), userId)
      const post = () =>
        send(`${API}/signout`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', cookie },
          body: '{}',
        })
      const answer = await post()
      assert.equal(answer.status, 200, answer.text)
      assert.equal(await whoIs(cookie), undefined)
      assert.equal((await post()).status, 200)
      assert.equal(await whoIs(cookie), undefined)
    },
  },
]
