import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { CookieJar } from 'tough-cookie'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { DOCUMENTED } from '../../openapi/document.js'
import { contractRoutes } from '../../contract/route.js'
import { completeLogin, completeLogout } from './support/oidc-login.js'
import { startTestService, type TestService } from './support/service.js'
import { createShell, personsEnvironment } from './support/shell.js'
import { signIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

/*
 * Runs the commands of openapi/CURL.md in order. Only values that earlier commands return replace their
 * examples.
 */

interface Section {
  title: string
  schema: unknown
  command: string
  /** The variable that has an example. */
  variable?: string
  status: number
  example?: unknown
}

const routes = DOCUMENTED.flatMap(({ contract }) => contractRoutes(contract)).map(
  ([, route]) => route,
)

function readSection(source: string): Section {
  const [title = ''] = source.split('\n')
  const [, method, path] = /^`([A-Z]+) (\S+)`$/m.exec(source) ?? []
  const route = routes.find(
    (one) => one.method === method && one.path.replaceAll(/:(\w+)/g, '{$1}') === path,
  )
  const [, script = ''] = /```sh\n([\s\S]*?)```/.exec(source) ?? []
  const [assignment, variable] = /^([A-Z_]+)='.*'\n/.exec(script) ?? []
  const status = Number(/^\*\*(\d{3})\*\*/m.exec(source)?.[1])
  const [, json] = /```json\n([\s\S]*?)```/.exec(source) ?? []
  return {
    title,
    schema: route?.responses[status],
    command: script.slice(assignment?.length ?? 0),
    ...(variable && { variable }),
    status,
    ...(json && { example: JSON.parse(json) as unknown }),
  }
}

let directory: string
let sections: readonly Section[]
let service: TestService
let receiver: Server
/** Logout tokens that the provider has sent. */
const logoutTokens: string[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'netscript-curl-'))
  const page = await readFile('openapi/CURL.md', 'utf8')
  sections = page.split('\n## ').slice(1).map(readSection)
  // Prints status and headers after the body, without a change to any command.
  await writeFile(
    join(directory, '.curlrc'),
    'silent\nshow-error\nwrite-out = "\\n%{http_code}\\n%{redirect_url}"\n',
  )
  receiver = createServer((req, res) => {
    void text(req).then((body) => {
      logoutTokens.push(new URLSearchParams(body).get('logout_token') ?? '')
      res.end()
    })
  })
  await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done))
  service = await startTestService({
    env: { NETSCRIPT_AUTH_TOKEN_AUDIENCES: 'https://orders.example.com' },
    provider: {
      backchannelLogoutUri: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
    },
  })
})
afterAll(async () => {
  await service?.close()
  await new Promise((done) => receiver.close(done))
  await rm(directory, { recursive: true, force: true })
})

describe('openapi/CURL.md', () => {
  const atProvider = new CookieJar()
  const answers = new Map<string, { body: unknown; location: string }>()
  const answer = (title: string) => {
    const found = answers.get(title)
    if (!found) throw new Error(`"${title}" was not asked.`)
    return found
  }

  /** What the reader does between two commands, by the variable that it yields. */
  const learn: Record<string, () => Promise<string>> = {
    async CALLBACK() {
      const { redirectUrl } = answer('Start a sign-in').body as { redirectUrl: string }
      const address = await completeLogin(redirectUrl, { login: 'ada', cookieJar: atProvider })
      // As the page says: a browser other than curl is rejected and consumes nothing.
      const other = await fetch(address, { headers: { accept: 'text/html' } })
      expect(other.status).toBe(400)
      return address
    },
    PROVIDER_CALLBACK: async () => `${service.origin}/api/v1/auth/callback/local?code=a&state=b`,
    async SESSION_ID() {
      const { session } = answer('The session of the caller').body as { session: { id: string } }
      const other = createUserAgent(service.origin)
      await signIn(other)
      const list = await (await other.fetch('/api/v1/auth/sessions')).text()
      const { sessions } = JSON.parse(list) as { sessions: { session: { id: string } }[] }
      return sessions.find((one) => one.session.id !== session.id)?.session.id ?? ''
    },
    async ACCOUNT_ID() {
      const { accounts } = answer('The provider accounts of the caller').body as {
        accounts: { id: string }[]
      }
      return accounts[0]?.id ?? ''
    },
    LOGOUT_URL: async () => (answer('End the session').body as { logoutUrl: string }).logoutUrl,
    LOGGED_OUT: async () =>
      completeLogout(answer('Continue a sign-out at the provider').location, {
        cookieJar: atProvider,
      }),
    LOGOUT_TOKEN: async () => logoutTokens[0] ?? '',
  }

  it('can be typed from its first command to its last', async () => {
    expect(sections.length).toBeGreaterThan(14)
    for (const { title, command, variable, status, schema, example } of sections) {
      const { code, output } = await createShell(directory, {
        ...personsEnvironment(),
        CURL_HOME: directory,
        AUTH: service.origin,
        ...(variable && { [variable]: await learn[variable]?.() }),
      }).run(command)
      expect(code, output).toBe(0)
      const [location = '', observed, ...body] = output.split('\n').reverse()
      expect(Number(observed), `${title}: ${output}`).toBe(status)
      if (schema instanceof z.ZodType && !(schema instanceof z.ZodUndefined)) {
        const parsed = JSON.parse(body.reverse().join('\n')) as object
        schema.parse(parsed)
        schema.parse(example)
        answers.set(title, { body: parsed, location })
      } else {
        expect(example).toBeUndefined()
        if (status >= 300) expect(location).toMatch(/^http/)
        answers.set(title, { body: undefined, location })
      }
    }
    expect(answer('The caller').body).toMatchObject({ user: { displayName: 'Ada Lovelace' } })
    expect(answer('End one session of the caller').body).toEqual({ revoked: 1 })
    expect(answer('Return from the provider after sign-out').location).toBe(`${service.origin}/`)
  })
})
