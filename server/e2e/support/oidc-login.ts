import { CookieJar } from 'tough-cookie'

/** Options of {@link completeLogin} and {@link completeLogout}. */
export interface DriveOptions {
  /** The cookies of the browser. Default: an empty jar. */
  cookieJar?: CookieJar
  /** Default: the global fetch. */
  fetch?: typeof globalThis.fetch
}

type Answer = Record<string, string>

/**
 * Signs in at the local provider as a browser without scripts would, page by page, and returns the
 * callback URL without opening it.
 */
export async function completeLogin(
  authorizationUrl: string | URL,
  options: DriveOptions & {
    /** The account to choose. When absent and `deny` is set, the user cancels. */
    login?: string
    /** Declines the consent. */
    deny?: boolean
  },
): Promise<string> {
  const { login, deny = false } = options
  return drive(new URL(authorizationUrl), 'redirect_uri', options, (page): Answer => {
    if (page.buttons.has('accountId') && login !== undefined) return { accountId: login }
    if (page.buttons.has('decision')) return { decision: deny ? 'deny' : 'allow' }
    return {}
  })
}

/** Confirms the sign-out at the local provider; returns the address it leads back to, unopened. */
export async function completeLogout(
  endSessionUrl: string | URL,
  options: DriveOptions = {},
): Promise<string> {
  return drive(new URL(endSessionUrl), 'post_logout_redirect_uri', options, (page): Answer =>
    page.buttons.has('logout') ? { logout: 'yes' } : {},
  )
}

const MAX_STEPS = 25

async function drive(
  start: URL,
  targetParameter: string,
  { cookieJar = new CookieJar(), fetch = globalThis.fetch }: DriveOptions,
  answer: (page: Page) => Answer,
): Promise<string> {
  const target = start.searchParams.get(targetParameter)
  let url = start
  let form: URLSearchParams | undefined
  for (let step = 0; step < MAX_STEPS; step++) {
    if (target !== null && isAt(url, target)) return url.href
    const response = await request(fetch, cookieJar, url, form)
    const location = response.headers.get('location')
    if (response.status >= 300 && response.status < 400 && location !== null) {
      url = new URL(location, url)
      form = undefined
      continue
    }
    const text = await response.text()
    const page = response.ok ? readPage(text) : undefined
    if (!page) throw new Error(`${url.href} answered ${response.status}: ${text}`)
    form = new URLSearchParams({ ...page.hidden, ...answer(page) })
    url = new URL(page.action, url)
  }
  throw new Error(`Still at ${url.href} after ${MAX_STEPS} steps.`)
}

function isAt(url: URL, target: string): boolean {
  const { origin, pathname } = new URL(target)
  return url.origin === origin && url.pathname === pathname
}

async function request(
  fetch: typeof globalThis.fetch,
  jar: CookieJar,
  url: URL,
  form: URLSearchParams | undefined,
): Promise<Response> {
  const response = await fetch(url, {
    redirect: 'manual',
    headers: { accept: 'text/html', cookie: await jar.getCookieString(url.href) },
    ...(form && { method: 'POST', body: form }),
  })
  // A cookie that a browser would drop is an error here, not a sign-in that quietly goes wrong.
  for (const cookie of response.headers.getSetCookie()) await jar.setCookie(cookie, url.href)
  return response
}

interface Page {
  action: string
  hidden: Record<string, string>
  /** The names of its buttons. */
  buttons: ReadonlySet<string>
}

/** The one form of a page; buttons outside it belong to it by their `form` attribute. */
function readPage(text: string): Page | undefined {
  const tags = [...text.matchAll(/<(form|input|button)\b((?:[^>"]|"[^"]*")*)>/g)].map(
    ([, name, attributes = '']) => ({ name, attributes: readAttributes(attributes) }),
  )
  const form = tags.find(({ name }) => name === 'form')
  if (form?.attributes.action === undefined) return undefined
  const inputs = tags.filter(({ name }) => name === 'input')
  return {
    action: form.attributes.action,
    hidden: Object.fromEntries(
      inputs.map(({ attributes }) => [attributes.name ?? '', attributes.value ?? '']),
    ),
    buttons: new Set(
      tags.flatMap(({ name, attributes }) =>
        name === 'button' && attributes.name !== undefined ? [attributes.name] : [],
      ),
    ),
  }
}

function readAttributes(text: string): Record<string, string | undefined> {
  const pairs = [...text.matchAll(/([\w-]+)="([^"]*)"/g)]
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, decode(value)]))
}

const ENTITIES: Record<string, string> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&amp;': '&',
}

function decode(value: string): string {
  return value.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity] ?? entity)
}
