import { EVIL } from './target.js'

/** Options of the corpus. */
export interface ReturnTargetOptions {
  /** The service's own origin. */
  readonly own: string
  /** The other origins that are allowed. */
  readonly allowed: readonly string[]
}

/** Every spelling that some parser reads as a slash. */
const SLASHES = ['/', '\\', '%2f', '%2F', '%5c', '%252f', '%255c', '%25252f', '%c0%af', '%u2215']
const UNICODE_SLASHES = [...'\u2044\u2215\u29f8\uff0f\uff3c\u29f5\u2571\u2afd\ufe68']
const UNICODE_DOTS = [...'\u3002\uff0e\uff61\u2024\u00b7\u0702\ufe52']
const INVISIBLE = [
  ...'\t\n\r\0\x01\x08\x0b\x0c\x1b\x1f\x20\x7f\x85\xa0\xad\u1680\u180e\u2000\u200b\u200d\u200e',
  ...'\u2028\u2029\u202e\u2060\u3000\ufeff\ufff9',
  // Lone surrogates: an encoder to UTF-8 must replace them.
  '\ud800',
  '\udfff',
]
const SCHEMES = [
  'javascript',
  'data',
  'vbscript',
  'blob',
  'file',
  'ftp',
  'ws',
  'wss',
  'gopher',
  'jar',
  'mailto',
  'tel',
  'sms',
  'about',
  'view-source',
  'filesystem',
  'intent',
  'chrome',
  'resource',
  'ms-settings',
  'android-app',
  'x-custom+a.b-c',
]
const SCHEME_BODIES: Readonly<Record<string, string>> = {
  javascript: '//%0aattack(1)',
  data: 'text/html,<script>attack(1)</script>',
  vbscript: 'msgbox(1)',
  blob: `https://${EVIL}/0-0-0`,
  about: 'blank',
  'view-source': `https://${EVIL}/`,
  intent: `//${EVIL}#Intent;scheme=https;end`,
}

/** Addresses of this machine, its network and its cloud, in every base. */
const HOSTS = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '0',
  '0.0.0.0',
  '2130706433',
  '0x7f000001',
  '0x7f.0.0.1',
  '017700000001',
  '0177.0.0.01',
  '127.0.0.1.',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:c000:201]',
  '[fe80::1%25eth0]',
  '[v1.x]',
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '192.0.2.1',
  '3221225985',
  '030000001001',
  '127。0。0。1',
  '①②⑦.⓪.⓪.①',
  'localhost.',
  'localhost.evil.example',
  'LOCALHOST',
  'ⓛocalhost',
  'xn--',
  'xn--vil-9cd.example',
  'ev\u0131l.example',
  '\uff45vil.example',
  'evil。example',
  'evil%2eexample',
  'evil%00.localhost',
  'a'.repeat(64) + '.example',
]

const backslashed = (text: string): string => text.replaceAll('/', '\\')
const percent = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
const encodings = (text: string): string[] => {
  const once = encodeURIComponent(text)
  const twice = encodeURIComponent(once)
  return [once, twice, encodeURIComponent(twice), percent(text), percent(percent(text))]
}

/** Whether a text has a lone surrogate, which only JSON can carry. */
export const hasLoneSurrogate = (text: string): boolean => /\p{Surrogate}/u.test(text)

/**
 * Return targets of an attacker: every rule below is a way in which some parser reads an address
 * otherwise than the check before them. Not all of them lead away in a browser of today, and none of them
 * may.
 */
export function hostileReturnTargets({ own, allowed }: ReturnTargetOptions): readonly string[] {
  const all = [
    ...slashes(),
    ...schemes(own),
    ...invisible(),
    ...unicode(),
    ...hosts(own),
    ...dotSegments(),
    ...[own, ...allowed].flatMap(lookAlikes),
    ...encoded(own),
    ...queriesAndFragments(own),
    ...lineBreaks(),
    ...malformed(),
    ...long(own),
  ]
  return [...new Set(all)]
}

/** Targets that must be accepted, with their destinations. */
export function honestReturnTargets({
  own,
  allowed,
}: ReturnTargetOptions): readonly (readonly [target: string, url: string])[] {
  return [
    ['/', `${own}/`],
    ['/welcome', `${own}/welcome`],
    ['/a/b/c.html', `${own}/a/b/c.html`],
    ['/search?q=a%20b&page=2', `${own}/search?q=a%20b&page=2`],
    ['/a?next=https%3A%2F%2Fshop.example%2F', `${own}/a?next=https%3A%2F%2Fshop.example%2F`],
    ['/a#section-2', `${own}/a#section-2`],
    ['/caf%C3%A9', `${own}/caf%C3%A9`],
    ['/100%25', `${own}/100%25`],
    ['/my%20files/a', `${own}/my%20files/a`],
    ['/~ada/@home;v=1', `${own}/~ada/@home;v=1`],
    [own, `${own}/`],
    [`${own}/welcome?x=1#y`, `${own}/welcome?x=1#y`],
    ...allowed.flatMap((origin) => [
      [origin, `${origin}/`] as const,
      [`${origin}/deep/link?x=1#y`, `${origin}/deep/link?x=1#y`] as const,
    ]),
  ]
}

function slashes(): string[] {
  const pairs = SLASHES.flatMap((first) => SLASHES.map((second) => first + second))
  const runs = ['///', '////', '/\\/', '\\//', '/\\\\', '\\/\\', '\\\\\\', '/////', '/%2f%5c/']
  return [
    ...[...pairs, ...runs].map((prefix) => `${prefix}${EVIL}`),
    `//${EVIL}/a/..`,
    `//${EVIL}:443/`,
    `//user@${EVIL}`,
    `//${EVIL}%00`,
    `/;/${EVIL}`,
    `/;@${EVIL}`,
    `/ /${EVIL}`,
    `//;@${EVIL}`,
    `/./\\${EVIL}`,
  ]
}

function schemes(own: string): string[] {
  const { host } = new URL(own)
  const named = SCHEMES.flatMap((scheme) => {
    const body = SCHEME_BODIES[scheme] ?? `//${EVIL}/`
    return [`${scheme}:${body}`, `${scheme.toUpperCase()}:${body}`, `/${scheme}:${body}`]
  })
  const web = ['http', 'https', 'HTTPS', 'hTtP'].flatMap((scheme) =>
    ['', '/', '//', '///', '////', '\\', '\\\\', '/\\', '\\/', '//\\', '\t//', '%2f%2f'].map(
      (separator) => `${scheme}:${separator}${EVIL}`,
    ),
  )
  return [
    ...named,
    ...web,
    `://${EVIL}`,
    `:${EVIL}`,
    `//javascript:attack(1)`,
    'java\tscript:attack(1)',
    'java\nscript:attack(1)',
    'javascript\t:attack(1)',
    ' javascript:attack(1)',
    '\x01javascript:attack(1)',
    'jAvAsCrIpT&colon;attack(1)',
    'javascript&#58;attack(1)',
    'java%73cript:attack(1)',
    `javascript://${host}/%0aattack(1)`,
    `data:text/html;base64,PHNjcmlwdD4=`,
    `data:,${own}`,
    `blob:${own}/0-0-0`,
    `filesystem:${own}/temporary/x`,
    `view-source:${own}/`,
    `url:${own}`,
    `https:${host}`,
    `http:${host}`,
    `http:/${host}`,
    `feed:${own}`,
  ]
}

function invisible(): string[] {
  return INVISIBLE.flatMap((char) => [
    `${char}//${EVIL}`,
    `/${char}/${EVIL}`,
    `//${char}${EVIL}`,
    `${char}https://${EVIL}`,
    `/${char}`,
    ...(hasLoneSurrogate(char) ? [] : [`/${encodeURIComponent(char)}/${EVIL}`]),
  ])
}

function unicode(): string[] {
  return [
    ...UNICODE_SLASHES.flatMap((slash) => [
      `${slash}${slash}${EVIL}`,
      `/${slash}${EVIL}`,
      `https:${slash}${slash}${EVIL}`,
      `/${encodeURIComponent(slash)}${EVIL}`,
    ]),
    ...UNICODE_DOTS.flatMap((dot) => [`//evil${dot}example`, `/${dot}${dot}//${EVIL}`]),
    `https\uff1a//${EVIL}`,
    `/\u561c\u560a\u560d${EVIL}`,
    '//\uff45\uff56\uff49\uff4c.example',
  ]
}

function hosts(own: string): string[] {
  const { port } = new URL(own)
  const withPort = port === '' ? '' : `:${port}`
  return HOSTS.flatMap((host) => [
    `http://${host}${withPort}/`,
    `https://${host}/`,
    `//${host}${withPort}`,
  ])
}

function dotSegments(): string[] {
  const segments = [
    '/..',
    '/.',
    '/a/..',
    '/%2e%2e',
    '/%2e',
    '/.%2e',
    '/%2E.',
    '/%252e%252e',
    '/..;',
    '/a/b/../..',
    '/...',
    '/..%00',
    '/..%09',
    '/. ',
  ]
  const tails = [`//${EVIL}`, `/\\${EVIL}`, `/%2f${EVIL}`, `/%5c${EVIL}`, `/%252f${EVIL}`]
  return [
    ...segments.flatMap((segment) => tails.map((tail) => segment + tail)),
    ...segments.map((segment) => backslashed(segment) + `\\\\${EVIL}`),
    `/a//${EVIL}/..`,
    `//${EVIL}/..//..`,
    '..',
    '../..',
    `..//${EVIL}`,
    `.//${EVIL}`,
  ]
}

/** Addresses that resemble an allowed origin. */
function lookAlikes(origin: string): string[] {
  const { protocol, hostname, host, port } = new URL(origin)
  const other = protocol === 'https:' ? 'http:' : 'https:'
  const suffixes = [
    `.${EVIL}`,
    `-${EVIL}`,
    EVIL,
    `@${EVIL}`,
    `:x@${EVIL}`,
    `:80@${EVIL}`,
    `%40${EVIL}`,
    `\\@${EVIL}`,
    `%5c@${EVIL}`,
    `%2f@${EVIL}`,
    `%23@${EVIL}`,
    `%3f@${EVIL}`,
    `%09.${EVIL}`,
    `%00.${EVIL}`,
    `%2e${EVIL}`,
    `\t.${EVIL}`,
    `;.${EVIL}`,
    `,${EVIL}`,
    `/..//${EVIL}`,
    `//${EVIL}`,
    `/%2f${EVIL}`,
    `/\\${EVIL}`,
    `\\${EVIL}`,
    '.',
    ':',
    ':0',
    ':1',
    ':65536',
    ':-1',
    ':+1',
    ': 1',
    '0',
    '%',
  ]
  return [
    ...suffixes.map((suffix) => origin + suffix),
    `${protocol}//${EVIL}/${origin}`,
    `${protocol}//${EVIL}?${origin}`,
    `${protocol}//${EVIL}#${origin}`,
    `${protocol}//${EVIL}#@${host}`,
    `${protocol}//${EVIL}?@${host}`,
    `${protocol}//${EVIL}/@${host}`,
    `${protocol}//${EVIL}\\@${host}`,
    `${protocol}//${EVIL}\\.${host}`,
    `${protocol}//${EVIL}%2f.${host}`,
    `${protocol}//${EVIL}%23.${host}`,
    `${protocol}//${EVIL}\t.${host}`,
    `${protocol}//${EVIL}:80#@${host}`,
    `${protocol}//a@${EVIL}@${host}`,
    `${protocol}//${host}@${EVIL}:80@${EVIL}`,
    `${protocol}//user:pass@${host}/`,
    `${protocol}//@${host}/`,
    `${protocol}//:@${host}/`,
    `${protocol}//evil${hostname}`,
    `${protocol}//evil.${host}`,
    `${protocol}//evil-${host}`,
    `${protocol}//${hostname.slice(1)}`,
    `${protocol}//${hostname.replaceAll('.', 'x').replace('o', '0')}`,
    `${protocol}//${hostname.replace(/[aeo]/, (char) => HOMOGLYPHS[char] ?? char)}${port && `:${port}`}`,
    `${protocol}//${hostname.replace(/[aeo]/, (char) => fullWidth(char))}${port && `:${port}`}`,
    `${other}//${host}`,
    `${protocol}${host}`,
    `${protocol}/${host}`,
    `${protocol}///${host}`,
    `${protocol}\\\\${host}`,
    `//${host}`,
    `//${host}@${EVIL}`,
    `/${origin}`,
    ` ${origin}`,
    `${origin} `,
    `"${origin}"`,
    `<${origin}>`,
    origin.toUpperCase(),
    `${origin},https://${EVIL}`,
    `${origin}\nhttps://${EVIL}`,
    percent(origin),
    backslashed(origin),
  ]
}

const HOMOGLYPHS: Readonly<Record<string, string>> = { a: '\u0430', e: '\u0435', o: '\u043e' }
const fullWidth = (char: string): string => String.fromCharCode(char.charCodeAt(0) + 0xfee0)

function encoded(own: string): string[] {
  const bases = [
    `//${EVIL}`,
    `/\\${EVIL}`,
    `https://${EVIL}`,
    `/..//${EVIL}`,
    `javascript:attack(1)`,
    `${own}@${EVIL}`,
    `/\t/${EVIL}`,
  ]
  return bases.flatMap((base) => [
    ...encodings(base),
    ...encodings(base).map((text) => `/${text}`),
    ...encodings(base.slice(1)).map((text) => `/${text}`),
  ])
}

function queriesAndFragments(own: string): string[] {
  return [
    `?//${EVIL}`,
    `#//${EVIL}`,
    `/?//${EVIL}`,
    `/?@${EVIL}`,
    `/#@${EVIL}`,
    `/#//${EVIL}`,
    `/?redirect=//${EVIL}`,
    `/#javascript:attack(1)`,
    `//${EVIL}?${own}`,
    `//${EVIL}#${own}`,
    `/?${own}@${EVIL}`,
    `/@${EVIL}`,
    `/:@${EVIL}`,
    `/a:b@${EVIL}`,
    `@${EVIL}`,
    EVIL,
    `${EVIL}/`,
    `www.${EVIL}`,
    `${EVIL}:443`,
    `?`,
    `#`,
    `;//${EVIL}`,
    `/"//${EVIL}`,
    `/<script>attack(1)</script>`,
    `/"><script>attack(1)</script>`,
    `/'-attack(1)-'`,
    `/\`\${attack(1)}\``,
    `[${own}]`,
    `*`,
    `null`,
    `undefined`,
    `true`,
    `0`,
  ]
}

function lineBreaks(): string[] {
  const breaks = ['\r\n', '%0d%0a', '%250d%250a', '%0a', '%e5%98%8a%e5%98%8d', '\u2028', '%c4%8d']
  return breaks.flatMap((br) => [
    `/${br}Set-Cookie:planted=1`,
    `/x${br}${br}<script>attack(1)</script>`,
    `${br}//${EVIL}`,
    `/${br}/${EVIL}`,
    `/x${br}Location: https://${EVIL}`,
  ])
}

function malformed(): string[] {
  return [
    '%',
    '%2',
    '%zz',
    '%E0%A4%A',
    '%ff',
    '%c0%ae%c0%ae',
    '%u002f',
    '%%32%66',
    '%2%66',
  ].flatMap((escape) => [
    `/${escape}`,
    `/${escape}/${EVIL}`,
    `/${escape}${EVIL}`,
    `${escape}//${EVIL}`,
  ])
}

function long(own: string): string[] {
  return [
    `/${'a'.repeat(2_047)}`,
    `/${'a'.repeat(2_048)}`,
    `/${'a'.repeat(10_000)}`,
    '/'.repeat(2_000),
    `${'/.'.repeat(900)}//${EVIL}`,
    `${'/..'.repeat(600)}//${EVIL}`,
    `/${'%25'.repeat(600)}2f${EVIL}`,
    `/%${'25'.repeat(900)}2f${EVIL}`,
    `${own}/${'a'.repeat(1_900)}//${EVIL}`,
    `${own}${'a'.repeat(1_000)}`,
    `https://${'a'.repeat(1_000)}@${EVIL}`,
    `https://${EVIL}/${'a'.repeat(1_900)}`,
    `/?${'a'.repeat(2_000)}`,
    `/${'é'.repeat(1_000)}`,
  ]
}
