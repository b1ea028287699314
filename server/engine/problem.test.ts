import { describe, expect, it } from 'vitest'
import { AuthError, providerError } from '../../backends/errors.js'
import { AUTH_ERRORS, type AuthErrorCode, ProblemDocument } from '../../contract/errors.js'
import { toAuthError, toProblem } from './problem.js'

describe('toAuthError', () => {
  it('leaves an error of the contract as it is', () => {
    const error = new AuthError('UNAUTHORIZED', 'Sign in.')
    expect(toAuthError(error)).toBe(error)
  })

  it.each([
    ['an error of a library', new Error('secret text')],
    ['one that only looks like ours', { code: 'UNAUTHORIZED', detail: 'secret text', status: 200 }],
    ['a string', 'secret text'],
    ['nothing', undefined],
  ])('maps %s to INTERNAL and does not disclose it', (_name, thrown) => {
    const error = toAuthError(thrown)
    expect(error).toMatchObject({ code: 'INTERNAL', status: 500 })
    expect(error.cause).toBe(thrown)
    expect(toProblem(error).detail).toMatch(/report the request id/)
    expect(JSON.stringify(toProblem(error))).not.toContain('secret text')
  })

  it('maps an address that cannot be decoded to NOT_FOUND', () => {
    const thrown = new URIError('secret text')
    const error = toAuthError(thrown)
    expect(error).toMatchObject({
      code: 'NOT_FOUND',
      detail: 'The address cannot be decoded.',
      cause: thrown,
    })
    expect(JSON.stringify(toProblem(error))).not.toContain('secret text')
  })
})

const WITH_DATA: readonly AuthErrorCode[] = [
  'VALIDATION_ERROR',
  'AUTH_PROVIDER_ERROR',
  'FORBIDDEN',
  'AUTH_RECENT_SIGN_IN_REQUIRED',
  'PROVIDER_TOKEN_UNAVAILABLE',
]

describe('toProblem', () => {
  const codes = (Object.keys(AUTH_ERRORS) as AuthErrorCode[]).filter(
    (code) => !WITH_DATA.includes(code),
  )

  it.each(codes)('%s is the document of the contract, with nothing else in it', (code) => {
    const problem = toProblem(
      new AuthError(code, 'Fix it.', { cause: new Error('inside'), setCookies: ['a=b'] }),
    )
    expect(problem).toStrictEqual({
      type: `urn:netscript:auth:problem:${code.toLowerCase().replaceAll('_', '-')}`,
      ...AUTH_ERRORS[code],
      detail: 'Fix it.',
      code,
    })
    expect(ProblemDocument.safeParse(problem).success).toBe(true)
  })

  it.each([
    [
      new AuthError('VALIDATION_ERROR', 'Fix it.', {
        data: { formErrors: [], fieldErrors: { scopes: ['is not a scope token'] } },
      }),
      { formErrors: [], fieldErrors: { scopes: ['is not a scope token'] } },
    ],
    [
      new AuthError('FORBIDDEN', 'Ask for it.', {
        data: { missingScopes: ['workspace:read'], missingRoles: [] },
      }),
      { missingScopes: ['workspace:read'], missingRoles: [] },
    ],
    [
      new AuthError('AUTH_RECENT_SIGN_IN_REQUIRED', 'Sign in again.', { data: { maxAge: 300 } }),
      { maxAge: 300 },
    ],
    [providerError('google', 'It is down.'), { providerId: 'google', reason: 'It is down.' }],
  ])('carries the data of %s', (error, data) => {
    const problem = toProblem(error)
    expect(problem.data).toEqual(data)
    expect(ProblemDocument.safeParse(problem).success).toBe(true)
  })
})
