import { describe, expect, expectTypeOf, it } from 'vitest'
import type { ClientInferResponseBody, ClientInferResponses } from '@ts-rest/core'
import { authContractV1 } from './auth-contract.js'
import { AUTH_ERRORS, type AuthErrorCode, ProblemDocument, problemType } from './errors.js'
import { MeResponse, SessionResponse } from './session.js'

describe('authContractV1', () => {
  it('has exactly five routes, in this order', () => {
    expect(
      Object.entries(authContractV1).map(([key, { method, path }]) => [key, method, path]),
    ).toEqual([
      ['signin', 'POST', '/api/v1/auth/signin'],
      ['signout', 'POST', '/api/v1/auth/signout'],
      ['callback', 'GET', '/api/v1/auth/callback'],
      ['session', 'GET', '/api/v1/auth/session'],
      ['me', 'GET', '/api/v1/auth/me'],
    ])
  })

  it('responds to an anonymous caller with exactly {"authenticated":false}', () => {
    expect(JSON.stringify(MeResponse.parse({ authenticated: false }))).toBe(
      '{"authenticated":false}',
    )
    expect(MeResponse.safeParse({ authenticated: false, user: {} }).success).toBe(false)
    expect(SessionResponse.safeParse({ authenticated: true }).success).toBe(false)
  })

  it('describes every field', () => {
    const undescribed: string[] = []
    const visit = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return
      const { shape } = schema as { shape?: Record<string, { description?: string }> }
      for (const [name, field] of Object.entries(shape ?? {})) {
        if (!field.description) undescribed.push(`${path}.${name}`)
        visit(field, `${path}.${name}`)
      }
      const { options } = schema as { options?: unknown[] }
      if (Array.isArray(options)) options.forEach((option, n) => visit(option, `${path}|${n}`))
    }
    for (const [key, route] of Object.entries(authContractV1)) {
      if ('body' in route) visit(route.body, `${key}.body`)
      if ('query' in route) visit(route.query, `${key}.query`)
      for (const [status, schema] of Object.entries(route.responses)) {
        visit(schema, `${key}.${status}`)
      }
    }
    expect(undescribed).toEqual([])
  })
})

describe('the error table', () => {
  it.each(Object.entries(AUTH_ERRORS))('%s has a problem document', (code, { status, title }) => {
    const data = {
      VALIDATION_ERROR: { formErrors: [], fieldErrors: {} },
      AUTH_PROVIDER_ERROR: { reason: 'down' },
      AUTH_RECENT_SIGN_IN_REQUIRED: { maxAge: 300, signin: { providerId: 'idp', maxAge: 300 } },
      PROVIDER_TOKEN_UNAVAILABLE: {
        providerId: 'idp',
        missingScopes: ['a'],
        signin: { providerId: 'idp', scopes: ['a'] },
      },
      FORBIDDEN: { missingScopes: ['a'], missingRoles: [] },
    }[code]
    const problem = {
      type: problemType(code as AuthErrorCode),
      title,
      status,
      detail: 'detail',
      code,
      ...(data && { data }),
    }
    expect(ProblemDocument.parse(problem)).toEqual(problem)
    expect(ProblemDocument.safeParse({ ...problem, status: 418 }).success).toBe(false)
  })
})

describe('types', () => {
  it('of a response narrow on authenticated', () => {
    type Me = ClientInferResponseBody<typeof authContractV1.me, 200>
    expectTypeOf<Extract<Me, { authenticated: false }>>().toEqualTypeOf<{ authenticated: false }>()
    expectTypeOf<Extract<Me, { authenticated: true }>['user']['id']>().toEqualTypeOf<string>()
    expectTypeOf<Me>().not.toBeAny()
  })

  it('of a response are limited to the declared statuses', () => {
    type Status = ClientInferResponses<typeof authContractV1.session>['status']
    expectTypeOf<Status>().toEqualTypeOf<200 | 500 | 503>()
  })

  it('of problems narrow on their code', () => {
    type Refused = ClientInferResponseBody<typeof authContractV1.signin, 422>
    type Invalid = Extract<Refused, { code: 'VALIDATION_ERROR' }>
    expectTypeOf<Refused['code']>().toEqualTypeOf<'VALIDATION_ERROR' | 'RETURN_TO_NOT_ALLOWED'>()
    expectTypeOf<NonNullable<Invalid['data']>['formErrors']>().toEqualTypeOf<string[]>()
  })

  it('do not contain routes that are not declared', () => {
    type Body = Parameters<typeof authContractV1.signin.body.parse>[0]
    expectTypeOf<Body>().toBeUnknown()
    // @ts-expect-error the contract has no such route
    expect(authContractV1.describe).toBeUndefined()
  })
})
