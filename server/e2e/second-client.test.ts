import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import openapiTypescript, { astToString } from 'openapi-typescript'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { completeLogin } from './support/oidc-login.js'
import { startTestService, type TestService } from './support/service.js'
import { createUserAgent } from './support/user-agent.js'

/*
 * Somebody who has the document and nothing else of this package: types from openapi-typescript,
 * calls by openapi-fetch.
 */

/** What they write. The directives fail when a type is `any`, or takes more than the document says. */
const PROGRAM = `
import createClient from 'openapi-fetch'
import type { components, paths } from './auth.js'

export interface Surroundings {
  baseUrl: string
  /** Keeps cookies, as a browser does. */
  fetch(request: Request): Promise<Response>
  /** Signs in at the provider; the address that it sends the browser to. */
  signInAtProvider(redirectUrl: string): Promise<string>
}

/** Signs in and out, and says what came of it. */
export async function walk({ baseUrl, fetch, signInAtProvider }: Surroundings) {
  // It wants no pages, so that an error is a problem document and never a text.
  const auth = createClient<paths, \`application/\${string}\`>({ baseUrl, fetch })
  const before = await answerOf(auth.GET('/api/v1/auth/me'))

  const refused = await auth.POST('/api/v1/auth/signin', { body: { providerId: 'nobody' } })
  const problem = refused.error
  if (problem?.code !== 'VALIDATION_ERROR') throw new Error('A code tells problems apart.')
  const wrong: string[] | undefined = problem.data.fieldErrors.providerId
  // @ts-expect-error A map has no entry for every name.
  const surely: string[] = problem.data.fieldErrors.providerId

  const { redirectUrl } = await answerOf(auth.POST('/api/v1/auth/signin', { body: { redirectTo: '/' } }))
  // @ts-expect-error It is a list.
  auth.POST('/api/v1/auth/signin', { body: { scopes: 'openid' }, fetch: nobody }).catch(() => {})
  const { code, state, iss } = Object.fromEntries(new URL(await signInAtProvider(redirectUrl)).searchParams)
  if (!code || !state || !iss) throw new Error('The provider said too little.')
  const completed: true = (
    await answerOf(
      auth.GET('/api/v1/auth/callback', {
        params: { query: { code, state, iss } },
        headers: { accept: 'application/json' },
      }),
    )
  ).completed

  const me = await answerOf(auth.GET('/api/v1/auth/me'))
  // @ts-expect-error Nobody has a user before "authenticated" was looked at.
  void me.user
  if (!me.authenticated) throw new Error('Nobody is signed in.')
  const user: components['schemas']['AuthUser'] = me.user
  // @ts-expect-error A person may have no name.
  const name: string = user.displayName
  // @ts-expect-error There is no such field.
  void user.surname

  const { sessions } = await answerOf(auth.GET('/api/v1/auth/sessions'))
  const [own, ...others] = sessions.filter(({ current }) => current)
  const state_: 'active' | 'expired' | 'revoked' | undefined = own?.session.state
  // @ts-expect-error The path has an id.
  auth.DELETE('/api/v1/auth/sessions/{id}', { fetch: nobody }).catch(() => {})

  const { signedOut } = await answerOf(auth.POST('/api/v1/auth/signout', { body: { everywhere: true } }))
  const after = await answerOf(auth.GET('/api/v1/auth/me'))
  const unauthorized = await auth.GET('/api/v1/auth/sessions')
  return {
    before, wrong, surely, completed, name, subject: me.session.subject, state: state_, signedOut, after,
    others: others.length, unauthorized: unauthorized.error?.code,
  }
}

const nobody = () => Promise.reject<Response>(new Error('This is compiled only.'))

/** The body of a success. */
async function answerOf<T>(answer: Promise<{ data?: T; error?: { code: string } }>): Promise<T> {
  const { data, error } = await answer
  if (data === undefined) throw new Error(error?.code)
  return data
}
`

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CONFIG = {
  compilerOptions: {
    ...{ target: 'es2022', module: 'nodenext', lib: ['es2023', 'dom', 'dom.iterable'], types: [] },
    ...{ strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true },
    skipLibCheck: false,
  },
  files: ['walk.ts'],
}

let directory: string
let service: TestService
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'netscript-second-client-'))
  service = await startTestService()
})
afterAll(async () => {
  await service?.close()
  await rm(directory, { recursive: true, force: true })
})

it('signs in and out with types and calls from the document alone', async () => {
  const document = await readFile(join(ROOT, 'openapi/auth.v1.json'), 'utf8')
  const types = astToString(await openapiTypescript(document))
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  await writeFile(join(directory, 'package.json'), '{"type":"module"}')
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(CONFIG))
  await writeFile(join(directory, 'auth.ts'), types)
  await writeFile(join(directory, 'walk.ts'), PROGRAM)
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const compiled = await promisify(execFile)(process.execPath, [tsc, '-p', directory]).catch(
    ({ stdout }: { stdout: string }) => ({ stdout }),
  )
  expect(compiled.stdout).toBe('')

  const agent = createUserAgent(service.origin)
  const { walk } = (await import(pathToFileURL(join(directory, 'walk.js')).href)) as {
    walk: (surroundings: object) => Promise<object>
  }
  const outcome = await walk({
    baseUrl: service.origin,
    fetch: async (request: Request) =>
      agent.fetch(request.url, {
        method: request.method,
        headers: request.headers,
        ...(request.body && { body: await request.text() }),
      }),
    signInAtProvider: (redirectUrl: string) => completeLogin(redirectUrl, { login: 'ada' }),
  })
  expect(outcome).toEqual({
    before: { authenticated: false },
    wrong: [expect.stringContaining('local')],
    surely: [expect.stringContaining('local')],
    completed: true,
    name: 'Ada Lovelace',
    subject: 'ada',
    state: 'active',
    others: 0,
    signedOut: true,
    after: { authenticated: false },
    unauthorized: 'UNAUTHORIZED',
  })
})
