import { bodyText, headerValues, openConnection, requestBytes } from './connection.mjs'
import { measureWindow } from './measured-window.mjs'
import { subjectOf } from './people.mjs'

/** Returning users: only the warm-up contains first sign-ins. */
const PEOPLE = 500
/** One sign-in in this many is followed by a read that must return the user. */
const CHECKED = 20

/**
 * Signs users in, each at the service, at the provider and at the service again, over keep-alive
 * connections. A sign-in counts when its callback set the session cookie.
 */
export async function measureSignIns({
  port,
  providerPort,
  connections,
  flow,
  most = Infinity,
  ...window
}) {
  let counted = 0
  let completed = 0
  let checked = 0
  let wrong = 0
  let counting = false
  let stopped = false
  let firstWrong
  let turn = 0

  const work = async () => {
    const service = talkTo(port)
    const provider = talkTo(providerPort)
    while (!stopped && turn < most) {
      const number = 1 + (turn++ % PEOPLE)
      try {
        const cookie = await signIn({ service, provider, flow, person: subjectOf(number) })
        completed += 1
        if (counting) counted += 1
        if (completed % CHECKED === 0) {
          checked += 1
          await check(service, flow, cookie, subjectOf(number))
        }
      } catch (error) {
        if (stopped) break
        wrong += 1
        firstWrong ??= error.message
        if (wrong > 50) break
      }
    }
    service.close()
    provider.close()
  }

  const workers = Array.from({ length: connections }, work)
  const measured = await measureWindow(window, {
    begin: () => {
      counting = true
    },
    end: () => {
      counting = false
      return counted
    },
  })
  stopped = true
  await Promise.all(workers)
  return { ...measured, completed, checked, wrong, firstWrong }
}

export async function signIn({ service, provider, flow, person }) {
  const started = await service.request(flow.start)
  const authorize =
    flow.answer === 'json'
      ? JSON.parse(bodyText(started)).redirectUrl
      : headerValues(started, 'location')[0]
  const approved = await provider.request({
    path: pathOf(authorize),
    headers: { 'X-Person': person },
  })
  const back = await service.request({
    path: pathOf(headerValues(approved, 'location')[0]),
    headers: { Cookie: cookiesOf(started).join('; ') },
  })
  const session = cookiesOf(back).find((cookie) => cookie.startsWith(`${flow.sessionCookie}=`))
  if (!session)
    throw new Error(`The callback answered ${back.status} ${bodyText(back).slice(0, 300)}`)
  return session
}

async function check(service, flow, cookie, person) {
  const answer = await service.request({ path: flow.read, headers: { Cookie: cookie } })
  const text = bodyText(answer)
  if (!text.includes(`"${person}"`)) {
    throw new Error(`${person} was signed in as ${answer.status} ${text.slice(0, 300)}`)
  }
}

const pathOf = (url) => {
  if (!url) throw new Error('There was nothing to go to.')
  const { pathname, search } = new URL(url, 'http://localhost')
  return pathname + search
}

const cookiesOf = (response) =>
  headerValues(response, 'set-cookie').map((cookie) => cookie.split(';', 1)[0])

export function talkTo(port) {
  const connection = openConnection(port)
  const host = `localhost:${port}`
  return {
    close: connection.close,
    request: (request) =>
      new Promise((resolve, reject) => {
        connection.send(requestBytes({ host, ...request }), (error, response) =>
          error ? reject(error) : resolve(response),
        )
      }),
  }
}
