import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOpenApiDocument } from '../document.js'
import type { OpenApiDocument, OperationObject, SchemaObject } from '../specification.js'
import { breakingChanges } from './changes.js'
import { announcesBreaks, judge, readCurrent, readReleased } from './verdict.js'

const API = '/api/v1/auth'
const released = createOpenApiDocument()

/** A copy of the released document with a change. */
function seeded(change: (parts: ReturnType<typeof partsOf>) => void): OpenApiDocument {
  const document = structuredClone(released)
  change(partsOf(document))
  return document
}

function partsOf(document: OpenApiDocument) {
  const found = <T>(name: string, part: T | undefined): T => {
    if (part === undefined) throw new Error(`There is no ${name}.`)
    return part
  }
  const schema = (name: string) =>
    found(name, document.components.schemas[name]) as SchemaObject & { required: string[] }
  const properties = (name: string) => schema(name).properties as Record<string, SchemaObject>
  return {
    document,
    schema,
    properties,
    /** `AuthUser.email` */
    field: (name: string): SchemaObject => {
      const [owner = '', key = ''] = name.split('.')
      return found(name, properties(owner)[key])
    },
    /** `GET /me` */
    operation: (name: string): OperationObject => {
      const [method = '', path = ''] = name.split(' ')
      return found(name, document.paths[API + path]?.[method.toLowerCase()])
    },
  }
}
type Parts = ReturnType<typeof partsOf>

const BREAKING: [what: string, change: (parts: Parts) => void, report: string][] = [
  [
    'a route is gone',
    ({ document }) => delete document.paths[`${API}/me`],
    'GET /me: the route is gone',
  ],
  [
    'a method is gone',
    ({ document }) => delete document.paths[`${API}/sessions`]?.delete,
    'DELETE /sessions: the route is gone',
  ],
  [
    'a route is called otherwise',
    ({ operation }) => (operation('GET /me').operationId = 'whoAmI'),
    'GET /me: clients know it as me, it is whoAmI now',
  ],
  [
    'a success is gone',
    ({ operation }) => delete operation('POST /signin').responses[303],
    'POST /signin: status 303 is gone',
  ],
  [
    'an error is gone',
    ({ operation }) => delete operation('GET /me').responses[503],
    'GET /me: status 503 is gone',
  ],
  [
    'a success is new',
    ({ operation }) => {
      operation('GET /me').responses[204] = { description: 'No session.', headers: {} }
    },
    'GET /me: status 204 is new, and no error',
  ],
  [
    'an optional response field is gone',
    ({ properties }) => delete properties('AuthUser').email,
    'GET /me: status 200, user.email: the field is gone',
  ],
  [
    'a response field may be missing',
    ({ schema }) => schema('AuthSession').required.splice(1, 1),
    'GET /session: status 200, session.userId: the field may be missing now',
  ],
  [
    'a response field has another type',
    ({ field }) => (field('AuthSession.userId').type = 'integer'),
    'GET /session: status 200, session.userId: the type was "string", is "integer"',
  ],
  [
    'a response field may be null',
    ({ field }) => (field('AuthUser.email').type = ['string', 'null']),
    'GET /me: status 200, user.email: the type was "string", is ["string","null"]',
  ],
  [
    'a response enum is wider',
    ({ field }) => (field('AuthSession.state').enum as string[]).push('paused'),
    'GET /session: status 200, session.state: the value was ["active","expired","revoked"], is ["active","expired","revoked","paused"]',
  ],
  [
    'a response enum is free text',
    ({ field }) => delete field('ProviderDescription.kind').enum,
    'GET /describe: status 200, providers[].kind: the value was ["oauth","oidc","saml","credentials","custom"], is anything',
  ],
  [
    'a response format is gone',
    ({ field }) => delete field('AuthSession.issuedAt').format,
    'GET /session: status 200, session.issuedAt: format was "date-time", is anything',
  ],
  [
    'a closed response has a new field',
    ({ properties }) => {
      properties('Anonymous').reason = { type: 'string' }
    },
    'GET /me: status 200, reason: no new field was allowed here',
  ],
  [
    'a response has a new kind of problem',
    ({ document }) => {
      const problems = document.components.responses.MalformedRequestToBrowser
      const body = problems?.content?.['application/problem+json']
      const { schema = {} } = body ?? {}
      body!.schema = { oneOf: [schema, { $ref: '#/components/schemas/NotFoundProblem' }] }
    },
    'POST /signin: status 400, application/problem+json: NotFoundProblem is a new kind of answer',
  ],
  [
    'a response has another media type',
    ({ operation }) => {
      const me = operation('GET /me').responses[200]
      if (me && 'content' in me) me.content = { 'text/html': { schema: { type: 'string' } } }
    },
    'GET /me: status 200, application/json is gone',
  ],
  [
    'a response header is gone',
    ({ document }) => delete document.components.responses.StoreUnavailable?.headers['Retry-After'],
    'GET /me: status 503, header Retry-After is gone',
  ],
  [
    'a response header may be missing',
    ({ document }) => delete document.components.headers.Location?.required,
    'POST /signin: status 303, header Location may be missing now',
  ],
  [
    'a request field is new and required',
    ({ properties, schema }) => {
      properties('SigninInput').tenant = { type: 'string' }
      schema('SigninInput').required = ['tenant']
    },
    'POST /signin: request, tenant: the field is new and required',
  ],
  [
    'a request field is required',
    ({ schema }) => (schema('SigninInput').required = ['redirectTo']),
    'POST /signin: request, redirectTo: the field is required now',
  ],
  [
    'a request field is gone',
    ({ properties }) => delete properties('SigninInput').loginHint,
    'POST /signin: request, loginHint: the field is gone',
  ],
  [
    'a request field is shorter',
    ({ field }) => (field('SigninInput.loginHint').maxLength = 100),
    'POST /signin: request, loginHint: maxLength was 320, is 100',
  ],
  [
    'a request field has a format',
    ({ field }) => (field('SigninInput.loginHint').format = 'email'),
    'POST /signin: request, loginHint: format was anything, is "email"',
  ],
  [
    'a request field takes fewer types',
    ({ field }) => (field('SignoutInput.everywhere').const = true),
    'POST /signout: request, everywhere: the value was anything, is [true]',
  ],
  [
    'a request refuses fields that it ignored',
    ({ schema }) => (schema('SignoutInput').additionalProperties = false),
    'POST /signout: request, *: the field is refused now',
  ],
  [
    'a request body is required',
    ({ operation }) => (operation('POST /signin').requestBody!.required = true),
    'POST /signin: the request body is required now',
  ],
  [
    'a form is no longer taken',
    ({ operation }) =>
      delete operation('POST /signin').requestBody?.content['application/x-www-form-urlencoded'],
    'POST /signin: request, application/x-www-form-urlencoded is gone',
  ],
  [
    'a parameter is new and required',
    ({ operation }) => {
      const { parameters = [] } = operation('GET /callback')
      parameters.push({ name: 'tenant', in: 'query', required: true, schema: {} })
    },
    'GET /callback: query parameter tenant is new and required',
  ],
  [
    'a parameter is gone',
    ({ operation }) => operation('GET /callback').parameters?.shift(),
    'GET /callback: query parameter code is gone',
  ],
  [
    'a parameter is required',
    ({ operation }) => (operation('GET /callback').parameters![0]!.required = true),
    'GET /callback: query parameter code is required now',
  ],
  [
    'a parameter is narrower',
    ({ operation }) => (operation('DELETE /sessions/{id}').parameters![0]!.schema.maxLength = 10),
    'DELETE /sessions/{id}: path parameter 1: maxLength was 256, is 10',
  ],
  [
    'a session is asked for',
    ({ operation }) => (operation('GET /me').security = [{ sessionCookie: [] }]),
    'GET /me: no credential is no longer enough',
  ],
  [
    'a keyword that the comparison does not know',
    ({ schema }) => (schema('AuthUser').not = { required: ['email'] }),
    'GET /me: status 200, user: not was anything, is {"required":["email"]}',
  ],
]

const HARMLESS: [what: string, change: (parts: Parts) => void][] = [
  ['nothing changes', () => {}],
  [
    'a route is new',
    ({ document, operation }) => {
      document.paths[`${API}/new`] = { get: { ...operation('GET /me'), operationId: 'new' } }
    },
  ],
  [
    'an error status is new',
    ({ operation }) => {
      operation('GET /me').responses[429] = { description: 'Slower.', headers: {} }
    },
  ],
  [
    'a response field is new',
    ({ properties }) => {
      properties('AuthUser').locale = { type: 'string' }
    },
  ],
  ['a response field is always there', ({ schema }) => schema('AuthUser').required.push('email')],
  [
    'a response enum is narrower',
    ({ field }) => (field('AuthSession.state').enum as string[]).pop(),
  ],
  [
    'a response has one kind of problem fewer',
    ({ document }) => {
      for (const { content } of Object.values(document.components.responses)) {
        const schema = content?.['application/problem+json']?.schema
        if (Array.isArray(schema?.oneOf)) schema.oneOf.pop()
      }
    },
  ],
  [
    'a response has a further media type and header',
    ({ operation }) => {
      const me = operation('GET /me').responses[200]
      if (!me || '$ref' in me) return
      me.content = { ...me.content, 'text/html': { schema: { type: 'string' } } }
      me.headers = { ...me.headers, 'X-New': { description: 'New.', schema: { type: 'string' } } }
    },
  ],
  [
    'a request field is new and optional',
    ({ properties }) => {
      properties('SigninInput').tenant = { type: 'string' }
    },
  ],
  ['a request field is longer', ({ field }) => (field('SigninInput.loginHint').maxLength = 1000)],
  [
    'a request field accepts more types',
    ({ field }) => {
      field('SignoutInput.everywhere').type = ['boolean', 'string']
    },
  ],
  [
    'a request field has no pattern',
    ({ field }) => {
      delete (field('SigninInput.scopes').items as SchemaObject).pattern
    },
  ],
  [
    'a parameter is new and optional',
    ({ operation }) => {
      operation('GET /me').parameters = [
        { name: 'verbose', in: 'query', required: false, schema: { type: 'boolean' } },
      ]
    },
  ],
  [
    'a path parameter is renamed',
    ({ document, operation }) => {
      const parameter = operation('DELETE /sessions/{id}').parameters?.[0]
      if (parameter) parameter.name = 'sessionId'
      document.paths[`${API}/sessions/{sessionId}`] = document.paths[`${API}/sessions/{id}`]!
      delete document.paths[`${API}/sessions/{id}`]
    },
  ],
  [
    'no session is needed any more',
    ({ operation }) => operation('GET /sessions').security.push({}),
  ],
  [
    'descriptions and examples change',
    ({ document, field, operation }) => {
      document.info.description = 'Other words.'
      operation('GET /me').summary = 'Other words'
      field('AuthUser.email').description = 'Other words.'
    },
  ],
  [
    'a component is inlined',
    ({ document, schema }) => {
      const me = schema('AuthenticatedUser').properties as Record<string, SchemaObject>
      me.user = structuredClone(schema('AuthUser'))
      delete document.components.schemas.AuthUser
    },
  ],
]

describe('breakingChanges', () => {
  it.each(BREAKING)('%s', (_what, change, report) => {
    const changes = breakingChanges(released, seeded(change))
    expect(changes.map(({ where, what }) => `${where.replace(API, '')}: ${what}`)).toContain(report)
  })

  it.each(HARMLESS)('reports nothing when %s', (_what, change) => {
    expect(breakingChanges(released, seeded(change))).toEqual([])
  })

  it('reports a credential that is sent in another place, and one that was removed', () => {
    const change = {
      where: 'sessionCookie',
      what: 'was the cookie __Host-ns_session, and is not any more',
    }
    const renamed = createOpenApiDocument({ cookieName: 'sid' })
    expect(breakingChanges(released, renamed)).toEqual([change])
    const gone = seeded(({ document }) => delete document.components.securitySchemes.sessionCookie)
    expect(breakingChanges(released, gone)).toEqual([change])
  })

  it('terminates on recursive schemas', () => {
    const recursive = (further: SchemaObject): OpenApiDocument =>
      seeded(({ document, properties }) => {
        const node = { $ref: '#/components/schemas/Node' }
        document.components.schemas.Node = { type: 'object', properties: { node, ...further } }
        properties('AuthUser').tree = node
      })
    const one = recursive({ leaf: { type: 'string' } })
    expect(breakingChanges(one, one)).toEqual([])
    expect(breakingChanges(one, recursive({}))).toContainEqual({
      where: `GET ${API}/me`,
      what: 'status 200, user.tree.leaf: the field is gone',
    })
  })
})

describe('the version', () => {
  it.each([
    ['0.1.0', '0.1.1', false],
    ['0.1.0', '0.2.0', true],
    ['0.2.0', '0.1.9', false],
    ['0.9.0', '1.0.0', true],
    ['1.0.0', '1.1.0', false],
    ['1.9.3', '2.0.0-rc.1', true],
    ['2.0.0', '1.9.0', false],
  ])('%s to %s announces breaks: %s', (earlier, later, expected) => {
    expect(announcesBreaks(earlier, later)).toBe(expected)
  })

  it('allows breaking changes that it announces, and still reports them', () => {
    const document = seeded(({ operation }) => delete operation('GET /me').responses[503])
    const before = { version: '0.1.0', document: released }
    const refused = judge(before, { version: '0.1.4', document })
    expect(refused.allowed).toBe(false)
    expect(refused.report).toMatch(/GET \/api\/v1\/auth\/me\n +status 503 is gone/)
    expect(refused.report).toMatch(/from 0\.1\.4 to 0\.2\.0/)
    const announced = judge(before, { version: '0.2.0', document })
    expect(announced.allowed).toBe(true)
    expect(announced.report).toContain('status 503 is gone')
  })
})

it('the contract has no breaking change since the last release; see npm run contract:check', async () => {
  const { allowed, report } = judge(await readReleased(), await readCurrent())
  expect(allowed, report).toBe(true)
})

describe('npm run contract:check', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'netscript-contract-'))
    const broken = seeded(({ document }) => delete document.paths[`${API}/me`])
    await writeFile(join(directory, '1.0.0.json'), JSON.stringify(released))
    await writeFile(join(directory, '1.1.0.json'), JSON.stringify(broken))
    await writeFile(join(directory, '2.0.0.json'), JSON.stringify(broken))
    await writeFile(join(directory, '3.0.0.json'), '{')
  })
  afterAll(() => rm(directory, { recursive: true }))

  const check = (...versions: string[]): Promise<{ code: number; output: string }> =>
    new Promise((done) => {
      const files = versions.map((version) => join(directory, `${version}.json`))
      const script = new URL('check.ts', import.meta.url).pathname
      execFile(
        'node',
        ['--conditions', '@netscript/source', '--import', 'tsx', script, ...files],
        (error, stdout, stderr) =>
          done({ code: Number(error?.code ?? 0), output: stdout + stderr }),
      )
    })

  it.each([
    [['1.0.0', '1.0.0'], 0, 'Nothing breaks'],
    [['1.0.0', '2.0.0'], 0, 'the route is gone'],
    [['1.0.0', '1.1.0'], 1, 'from 1.1.0 to 2.0.0'],
    [['1.0.0', '3.0.0'], 2, 'is not JSON'],
    [['9.9.9'], 2, 'no such file'],
  ])('of %j exits with %i', async (versions, code, text) => {
    const result = await check(...versions)
    expect(result.output).toContain(text)
    expect(result.code).toBe(code)
  })
})
