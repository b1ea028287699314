import { parseArgs, styleText } from 'node:util'
import { attackSuite } from '../../attack/suite.js'
import type { AttackCase, AttackTarget } from '../../attack/target.js'

const USAGE = `Attacks the HTTP surface of a deployment of yours, and says what gives way.

  tsx server/e2e/attack/run.ts <base-url> [options]

  --cookie "<name>=<value>"  the session cookie of a signed-in user;
                             that session has ended at the end of the run
  --allow <origin>           an origin in NETSCRIPT_AUTH_ALLOWED_RETURN_TO or
                             NETSCRIPT_AUTH_CORS_ORIGINS; may be repeated

It starts some hundred sign-ins and completes none, and it waits when it is told
to (429). Attack nothing that is not yours.`

const COLUMNS = 80

class UsageError extends Error {}

async function main(): Promise<number> {
  const target = await readTarget()
  const { cases, close } = attackSuite(target)
  const counts = { ok: 0, FAIL: 0, skip: 0 }
  try {
    for (const one of cases) {
      const failure = one.skipped === undefined ? await attempt(one) : undefined
      const outcome = one.skipped !== undefined ? 'skip' : failure === undefined ? 'ok' : 'FAIL'
      counts[outcome] += 1
      console.log(resultLine(outcome, one))
      if (failure !== undefined) console.log(wrap(failure))
    }
  } finally {
    close()
  }
  console.log(`\n${counts.ok} held, ${counts.FAIL} gave way, ${counts.skip} skipped`)
  return counts.FAIL > 0 ? 1 : 0
}

async function readTarget(): Promise<AttackTarget> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      cookie: { type: 'string' },
      allow: { type: 'string', multiple: true },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const [baseUrl] = positionals
  if (values.help || baseUrl === undefined) throw new UsageError(USAGE)
  if (!URL.canParse(baseUrl) || !/^https?:$/.test(new URL(baseUrl).protocol)) {
    throw new UsageError(`"${baseUrl}" is not an http or https URL.`)
  }
  const { origin } = new URL(baseUrl)
  const described = await ask<Described>(origin, 'describe')
  await checkOrigin(origin)
  const { cookie } = values
  if (cookie !== undefined && !(await isSignedIn(origin, cookie))) {
    throw new UsageError('The cookie is no session here. Is it quoted, with its name, and live?')
  }
  return {
    baseUrl: origin,
    interactive: described.capabilities.interactive,
    allowedOrigins: values.allow ?? [],
    onWait: sayOnce(),
    ...(cookie !== undefined && { signIn: async () => cookie }),
  }
}

/** Several requests may have to wait at the same time; report that once. */
function sayOnce(): (seconds: number) => void {
  let until = 0
  return (seconds) => {
    if (Date.now() < until) return
    until = Date.now() + seconds * 1000
    console.log(dim(`      waiting ${seconds} s for the rate limit`))
  }
}

interface Described {
  capabilities: { interactive: boolean }
}

/** Under another host name the service rejects its own origin, which would invalidate half of the cases. */
async function checkOrigin(origin: string): Promise<void> {
  const { redirectTo } = await ask<{ redirectTo: string }>(origin, 'signout', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"redirectTo":"/"}',
  })
  const own = new URL(redirectTo).origin
  if (own !== origin) throw new UsageError(`This service calls itself ${own}. Attack it there.`)
}

async function isSignedIn(origin: string, cookie: string): Promise<boolean> {
  const me = await ask<{ authenticated: boolean }>(origin, 'me', { headers: { cookie } })
  return me.authenticated
}

async function ask<Body>(origin: string, route: string, init: RequestInit = {}): Promise<Body> {
  const url = `${origin}/api/v1/auth/${route}`
  const response = await fetch(url, init).catch((cause: unknown) => {
    throw new UsageError(`${origin} does not answer.`, { cause })
  })
  if (!response.ok) throw new UsageError(`${url} answered ${response.status}; is it this service?`)
  return (await response.json()) as Body
}

async function attempt({ run }: AttackCase): Promise<string | undefined> {
  try {
    await run()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** One line, however long the words are. */
function resultLine(outcome: 'ok' | 'FAIL' | 'skip', { group, name }: AttackCase): string {
  const line = `${outcome.padEnd(5)} ${group.padEnd(13)} ${name}`
  const fitted = line.length > COLUMNS ? `${line.slice(0, COLUMNS - 1)}…` : line
  if (outcome === 'FAIL') return styled('red', fitted)
  return outcome === 'skip' ? dim(fitted) : fitted
}

const styled = (style: 'red' | 'dim', text: string): string =>
  process.stdout.isTTY ? styleText(style, text) : text
const dim = (text: string): string => styled('dim', text)

/** The first lines of a message, indented and folded. */
function wrap(message: string): string {
  const width = COLUMNS - 6
  return message
    .split('\n')
    .slice(0, 12)
    .flatMap((line) => line.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [])
    .slice(0, 16)
    .map((line) => `      ${line}`)
    .join('\n')
}

try {
  process.exitCode = await main()
} catch (error) {
  const isUsage =
    error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
  console.error(isUsage ? (error as Error).message : error)
  process.exitCode = 1
}
