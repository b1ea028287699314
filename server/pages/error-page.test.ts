import { describe, expect, it } from 'vitest'
import ts from 'typescript'
import { errorPage, type ErrorPageOptions, errorWords } from './error-page.js'
import { AuthBackendOperationUnsupportedError, AuthError } from '../../backends/errors.js'
import { AUTH_ERRORS, type AuthErrorCode } from '../../contract/errors.js'
import { placeOf, shippedSources, visit } from '../e2e/support/shipped-sources.js'
import { readVectors } from '../e2e/vectors/vector.js'
import { createLogger } from '../log.js'
import { respondToError } from '../engine/problem.js'
import { homePage, type HomePageOptions } from './home-page.js'

const options: ErrorPageOptions = {
  title: 'This sign-in has expired or was already used',
  detail: 'Start again.',
  code: 'AUTH_TRANSACTION_EXPIRED',
  requestId: 'req-1',
}

describe('the error page', () => {
  it('shows what helps a user', () => {
    const page = errorPage(options)
    for (const part of [
      '<h1>This sign-in has expired or was already used</h1>',
      'Start again.',
      '<code>AUTH_TRANSACTION_EXPIRED</code>',
      '<code>req-1</code>',
      'href="/"',
    ]) {
      expect(page).toContain(part)
    }
  })

  it('escapes everything', () => {
    const hostile = `"><script>alert(1)</script>`
    const page = errorPage({
      title: hostile,
      detail: hostile,
      code: hostile,
      requestId: hostile,
    })
    expect(page).not.toContain('<script')
  })
})

/** What only developers and operators know. */
const TECHNICAL =
  /\b(GET|POST|PUT|DELETE|HTTP|API|routes?|headers?|JSON|Content-Type|NETSCRIPT_\w*|cookie jar|openapi|backend|id_token|metadata|endpoint|WorkOS|better-auth|kv-oauth|database)\b/i

/** Details that are written for developers. */
const FOR_DEVELOPERS =
  'There is no GET route here. See /openapi.json, set NETSCRIPT_AUTH_CORS_ORIGINS and send JSON.'

const CODES = Object.keys(AUTH_ERRORS) as AuthErrorCode[]
const isFixed = (code: AuthErrorCode): boolean =>
  errorWords(new AuthError(code, FOR_DEVELOPERS)).detail !== FOR_DEVELOPERS

/**
 * The definition of `providerError`, the suite for backends, what only the command line calls, and the
 * problem of backends that start no sign-ins, which has a test above.
 */
const NOT_SHOWN = /^backends\/errors|\/conformance\/|\/operator\.ts$|^server\/handlers\/context/

/** Calls whose details cannot be read from the source. */
const unresolved: string[] = []
const details = shownDetails()

describe('the text of an error page', () => {
  it.each(CODES.filter(isFixed))(
    'does not show the details of %s, a page of fixed words',
    (code) => {
      const { title, detail } = errorWords(new AuthError(code, FOR_DEVELOPERS))
      expect(`${title}. ${detail}`).not.toMatch(TECHNICAL)
    },
  )

  it.each(CODES.filter((code) => !isFixed(code)))('of %s has a title in plain words', (code) => {
    expect(errorWords(new AuthError(code, '')).title).not.toMatch(TECHNICAL)
  })

  it('says in plain words that a backend starts no sign-ins', () => {
    const reason = 'The better-auth backend has no interactive sign-in. Sign in with POST /x.'
    const cause = new AuthBackendOperationUnsupportedError('better-auth', 'sign-in', reason)
    const error = new AuthError('AUTH_PROVIDER_ERROR', reason, { cause, data: { reason } })
    const respond = (asPage: boolean) =>
      respondToError(createLogger('silent'), error, { requestId: 'r', asPage }).body
    expect(respond(true)).not.toMatch(/better-auth|POST/)
    expect(respond(true)).toContain('Go to the start page')
    expect(JSON.parse(respond(false))).toMatchObject({ detail: reason })
  })

  it.each(details)('is plain: $text ($where)', ({ text }) => {
    expect(text).not.toMatch(TECHNICAL)
  })

  it.each(recordedPages())('is plain in the response: $name', ({ page }) => {
    expect(page).not.toMatch(TECHNICAL)
  })

  it.each<[string, Partial<HomePageOptions>]>([
    ['for users', { providers: [{ id: 'google', displayName: 'Google' }] }],
    ['without a provider', {}],
    ['with passwords', { interactive: false, passwordForms: { signIn: '/in', signUp: '/up' } }],
    ['that leads elsewhere', { interactive: false, signInHint: 'https://app.example/login' }],
    ['with a hint for developers', { interactive: false, signInHint: 'POST /api/auth/sign-in.' }],
  ])('is plain on a front page %s', (_name, options) => {
    const page = homePage({ interactive: true, providers: [], docsEnabled: false, ...options })
    expect(shownText(page)).not.toMatch(TECHNICAL)
  })

  it('was found in every place where one is made', () => {
    expect(details.length).toBeGreaterThan(15)
    expect(unresolved).toEqual([])
  })
})

/** What `new AuthError` and `providerError` say for the codes whose details pages show. */
function shownDetails(): { text: string; where: string }[] {
  const sources = shippedSources().filter(({ fileName }) => !NOT_SHOWN.test(fileName))
  return sources.flatMap((source) => detailsOf(source, sources))
}

/** What a page shows, without the markup. */
function shownText(page: string): string {
  return page.replace(/^.*<main/s, '<main').replaceAll(/<[^>]*>/g, ' ')
}

/** The text of every page among the recorded responses. */
function recordedPages(): { name: string; page: string }[] {
  return [...readVectors().values()]
    .flat()
    .flatMap(({ name, response: { body } }) =>
      typeof body === 'string' && body.startsWith('<!doctype')
        ? [{ name, page: shownText(body) }]
        : [],
    )
}

function detailsOf(source: ts.SourceFile, all: readonly ts.SourceFile[]) {
  const found: { text: string; where: string }[] = []
  visit(source, (node) => {
    const detail = detailOf(node)
    if (!detail || isRethrown(detail)) return
    const where = placeOf(node)
    const texts = textsOf(detail, all)
    if (texts.length === 0) unresolved.push(where)
    found.push(...texts.map((text) => ({ text, where })))
  })
  return found
}

/** The argument that says what happened, of a call for a code that pages show as it is. */
function detailOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isCallExpression(node)) {
    const at = ['workosFailed', 'providerError'].indexOf(node.expression.getText())
    return at < 0 ? undefined : node.arguments[at]
  }
  if (!ts.isNewExpression(node) || node.expression.getText() !== 'AuthError') return undefined
  const [code, detail] = node.arguments ?? []
  const isShown = code && ts.isStringLiteral(code) && !isFixed(code.text as AuthErrorCode)
  return isShown ? detail : undefined
}

/** `error.detail` and the parameter of `workosFailed`: the text is that of another call. */
function isRethrown(node: ts.Expression): boolean {
  return (ts.isPropertyAccessExpression(node) ? node.name : node).getText() === 'detail'
}

/** Every text that an expression can be: literals, and what the names in it stand for. */
function textsOf(node: ts.Node, all: readonly ts.SourceFile[], depth = 0): string[] {
  if (depth > 4) return []
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return [node.text]
  if (ts.isTemplateExpression(node)) {
    return [node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')]
  }
  if (ts.isConditionalExpression(node)) {
    return [node.whenTrue, node.whenFalse].flatMap((one) => textsOf(one, all, depth))
  }
  if (ts.isParenthesizedExpression(node)) return textsOf(node.expression, all, depth)
  if (ts.isPropertyAccessExpression(node)) return valuesOf(node.name.text, all, depth)
  if (ts.isCallExpression(node)) return valuesOf(node.expression.getText(), all, depth)
  if (ts.isIdentifier(node)) return valuesOf(node.text, within(node, all), depth)
  return []
}

/** The file itself when it declares the name, else every file. */
function within(node: ts.Identifier, all: readonly ts.SourceFile[]): readonly ts.SourceFile[] {
  const own = node.getSourceFile()
  let isOwn = false
  visit(own, (one) => {
    isOwn ||=
      (ts.isVariableDeclaration(one) || ts.isParameter(one)) && one.name.getText() === node.text
  })
  return isOwn ? [own] : all
}

/** The texts of constants, properties, results of functions, and arguments of that name. */
function valuesOf(name: string, all: readonly ts.SourceFile[], depth: number): string[] {
  return all.flatMap((source) => {
    const found: string[] = []
    const add = (value: ts.Node | undefined) => {
      if (value) found.push(...textsOf(value, all, depth + 1))
    }
    visit(source, (node) => {
      if (
        (ts.isVariableDeclaration(node) || ts.isPropertyAssignment(node)) &&
        node.name.getText() === name
      ) {
        add(node.initializer)
      } else if (ts.isFunctionDeclaration(node) && node.name?.text === name) {
        visit(node, (one) => {
          if (ts.isReturnStatement(one)) add(one.expression)
        })
      }
    })
    return found
  })
}
