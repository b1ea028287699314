import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { contractRoutes } from '@netscript/auth-contract/internal'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AUTH_ERRORS } from '../contract/errors.js'
import { createOpenApiDocument, DOCUMENTED } from './document.js'
import type { OpenApiDocument } from './specification.js'

const document = createOpenApiDocument()
const { schemas, responses } = document.components
const operations = Object.values(document.paths).flatMap((item) => Object.values(item))
const operation = (id: string) => operations.find(({ operationId }) => operationId === id)
const root = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)

/** Runs a linter. Resolves to its report, or to its output on failure. */
async function lint(bin: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', REDOCLY_TELEMETRY: 'off' }
  const file = `${root}node_modules/.bin/${bin}`
  const { stdout } = await run(file, ['lint', 'openapi/auth.v1.json', ...args], {
    cwd: root,
    env,
  }).catch((failure: { stdout: string }) => failure)
  return stdout
}

/** Visits every object of a document with its path. */
function visit(node: unknown, path: string, see: (node: object, path: string) => void): void {
  if (typeof node !== 'object' || node === null) return
  see(node, path)
  for (const [key, value] of Object.entries(node)) visit(value, `${path}/${key}`, see)
}

interface Exemplified {
  schema?: object
  example?: unknown
  examples?: Record<string, { value: unknown }>
}

/** Validates every example of a document against the schema beside it. */
function exampleFailures(document: OpenApiDocument): {
  failures: string[]
  checked: number
} {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema({ $id: 'urn:netscript:document', components: document.components })
  const failures: string[] = []
  let checked = 0

  const check = (schema: object, value: unknown, path: string): void => {
    checked += 1
    const absolute = JSON.parse(
      JSON.stringify(schema).replaceAll('"#/components/', '"urn:netscript:document#/components/'),
    ) as object
    if (!ajv.validate(absolute, value)) failures.push(`${path}: ${ajv.errorsText()}`)
  }
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return
    const { schema, example, examples } = node as Exemplified
    if (Array.isArray(examples)) {
      examples.forEach((value, n) => check(node, value, `${path}/examples/${n}`))
    } else if (schema) {
      if (example !== undefined) check(schema, example, path)
      for (const [name, { value }] of Object.entries(examples ?? {})) {
        check(schema, value, `${path}/examples/${name}`)
      }
    }
    for (const [key, value] of Object.entries(node)) visit(value, `${path}/${key}`)
  }
  visit(document, '#')
  return { failures, checked }
}

describe('the committed document', () => {
  it('is valid OpenAPI 3.1, without findings of redocly and spectral', async () => {
    const [redocly, spectral] = await Promise.all([
      lint('redocly', '--format=json'),
      lint('spectral', '--format=json', '--quiet'),
    ])
    const { totals, problems } = JSON.parse(redocly) as { totals: object; problems: unknown[] }
    expect(problems).toEqual([])
    expect(totals).toEqual({ errors: 0, warnings: 0, ignored: 0 })
    expect(JSON.parse(spectral)).toEqual([])
  })
})

describe('createOpenApiDocument', () => {
  it('has the version that all packages share', async () => {
    const manifest = async (path: string) =>
      JSON.parse(await readFile(`${root}${path}package.json`, 'utf8')) as {
        version: string
        workspaces?: readonly string[]
      }
    const { workspaces = [] } = await manifest('')
    expect(workspaces).toContain('contract')
    for (const workspace of workspaces) {
      expect((await manifest(`${workspace}/`)).version, workspace).toBe(document.info.version)
    }
  })

  it('has one operation for each route, with its key, summary and statuses', () => {
    const routes = DOCUMENTED.flatMap(({ contract }) => contractRoutes(contract))
    expect(operations.map(({ operationId }) => operationId)).toEqual(routes.map(([key]) => key))
    for (const [key, route] of routes) {
      expect(operation(key)?.summary).toBe(route.summary)
      expect(Object.keys(operation(key)?.responses ?? {})).toEqual(Object.keys(route.responses))
      const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
      expect(document.paths[path]?.[route.method.toLowerCase()]).toBe(operation(key))
    }
  })

  it('has a component with a discriminator for every declared error code', () => {
    const declared = new Set<string>()
    for (const [, route] of DOCUMENTED.flatMap(({ contract }) => contractRoutes(contract))) {
      for (const schema of Object.values(route.responses)) {
        if (!(schema instanceof z.ZodType) || schema instanceof z.ZodUndefined) continue
        const text = JSON.stringify(z.toJSONSchema(schema))
        for (const code of Object.keys(AUTH_ERRORS)) {
          if (text.includes(`"const":"${code}"`)) declared.add(code)
        }
      }
    }
    const described = Object.values(schemas).flatMap(({ properties }) => {
      const { code, type } = (properties ?? {}) as Record<string, { const?: string }>
      return type?.const?.startsWith('urn:') ? [code?.const] : []
    })
    expect(described.sort()).toEqual([...declared].sort())
    expect(declared.size).toBeGreaterThan(10)
    for (const { content } of Object.values(responses)) {
      const { oneOf, discriminator } = content?.['application/problem+json']?.schema ?? {}
      if (!Array.isArray(oneOf)) continue
      expect(discriminator).toMatchObject({ propertyName: 'code' })
      expect(Object.values((discriminator as { mapping: object }).mapping)).toEqual(
        (oneOf as { $ref: string }[]).map(({ $ref }) => $ref),
      )
    }
  })

  it('inlines no object schema; every component is referenced and every reference resolves', () => {
    const copies: string[] = []
    const pointers = new Set<string>()
    visit(document, '#', (node, path) => {
      const schema = node as { properties?: object; type?: string; $ref?: string }
      if (
        schema.type === 'object' &&
        schema.properties &&
        !/^#\/components\/schemas\/\w+$/.test(path)
      ) {
        copies.push(path)
      }
      if (schema.$ref) pointers.add(schema.$ref)
    })
    expect(copies).toEqual([])
    const { securitySchemes: _, ...pointedTo } = document.components
    const components = Object.entries(pointedTo).flatMap(([kind, named]) =>
      Object.keys(named).map((name) => `#/components/${kind}/${name}`),
    )
    expect([...pointers].sort()).toEqual(components.sort())
  })

  it('contains no keywords that zod adds but the API does not promise', () => {
    const text = JSON.stringify(document)
    for (const quirk of ['$schema', '$defs', '~standard', 'propertyNames', '9007199254740991']) {
      expect(text).not.toContain(quirk)
    }
    expect(schemas.Anonymous?.additionalProperties).toBe(false)
    expect(schemas.AuthUser).not.toHaveProperty('additionalProperties')
  })

  it('repeats every const as an enum, for OpenAPI 3.0 tools', () => {
    const constants: string[] = []
    visit(document, '#', (node, path) => {
      if (!('const' in node) || /\/properties$/.test(path)) return
      constants.push(path)
      expect((node as { enum?: unknown }).enum, path).toEqual([node.const])
    })
    expect(constants.some((path) => path.includes('/headers/'))).toBe(true)
    expect(constants).toContain('#/components/schemas/Anonymous/properties/authenticated')
    expect(constants).toContain('#/components/schemas/NotFoundProblem/properties/status')
  })

  it('has only examples that are valid for its schemas', () => {
    const { failures, checked } = exampleFailures(document)
    expect(failures).toEqual([])
    expect(checked).toBeGreaterThan(30)
  })

  it('declares JSON and form bodies where browsers may post a form', () => {
    for (const id of ['signin', 'signout']) {
      expect(Object.keys(operation(id)?.requestBody?.content ?? {})).toEqual([
        'application/json',
        'application/x-www-form-urlencoded',
      ])
    }
    expect(Object.keys(operation('backChannelLogout')?.requestBody?.content ?? {})).toEqual([
      'application/x-www-form-urlencoded',
    ])
    const form = operation('signin')?.requestBody?.content['application/x-www-form-urlencoded']
    const list = { style: 'form', explode: true }
    expect(form?.encoding).toEqual({ scopes: list, acrValues: list, uiLocales: list })
  })

  it('declares which responses redirect, set cookies and have Retry-After', () => {
    const headersAt = (id: string, status: number): string[] => {
      const response = operation(id)?.responses[status] ?? { $ref: '' }
      const { headers = {} } =
        '$ref' in response ? (responses[response.$ref.split('/').at(-1) ?? ''] ?? {}) : response
      return Object.keys(headers)
    }
    const always = ['Cache-Control', 'Vary', 'X-Request-Id']
    expect(headersAt('signin', 303)).toEqual([...always, 'Location', 'Set-Cookie'])
    expect(headersAt('callback', 200)).toEqual([...always, 'Set-Cookie'])
    expect(headersAt('me', 503)).toEqual([...always, 'Retry-After'])
    expect(headersAt('callback', 400)).toEqual([...always, 'Set-Cookie'])
  })

  it('declares which routes read the session cookie, and its name', () => {
    expect(operation('signin')?.security).toEqual([])
    expect(operation('backChannelLogout')?.security).toEqual([])
    expect(operation('me')?.security).toEqual([{ sessionCookie: [] }, {}])
    const named = createOpenApiDocument({ cookieName: 'sid', serverUrl: 'https://auth.example' })
    expect(named.components.securitySchemes.sessionCookie).toMatchObject({ name: 'sid' })
    expect(named.servers[0]?.url).toBe('https://auth.example')
  })
})
