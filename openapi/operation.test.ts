import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { problems } from '../contract/errors.js'
import { createComponents } from './components.js'
import { operationOf } from './operation.js'
import { contractRoutes, type RouteContract } from '../contract/route.js'
import { OWN_DIALECT } from './dialect.js'

const Device = z.object({ id: z.string() }).meta({ id: 'Device', description: 'A device.' })
const Rename = z.object({ name: z.string() }).meta({ id: 'Rename' })
const noBody = Symbol('no body')

const contract: RouteContract = {
  devices: {
    rename: {
      method: 'PATCH',
      path: '/devices/:deviceId',
      pathParams: z.object({ deviceId: z.string().describe('Which device.') }),
      query: z.object({ dryRun: z.coerce.boolean().default(false), tags: z.array(z.string()) }),
      body: Rename,
      responses: { 200: Device, 204: noBody, ...problems('INTERNAL') },
    },
    forget: {
      method: 'DELETE',
      path: '/devices/:deviceId',
      responses: { 204: noBody, 401: problems('ORIGIN_NOT_ALLOWED')[403] },
    },
  },
}

const components = createComponents()
const [rename, forget] = contractRoutes(contract).map((named) =>
  operationOf(named, 'Devices', components, OWN_DIALECT),
)

describe('operationOf', () => {
  it('uses the full key of a nested contract as operationId', () => {
    expect([rename?.operationId, forget?.operationId]).toEqual(['devices.rename', 'devices.forget'])
  })

  it('describes path parameters, declared or not, and query parameters by their input', () => {
    expect(rename?.parameters).toEqual([
      {
        name: 'deviceId',
        in: 'path',
        description: 'Which device.',
        required: true,
        schema: { type: 'string' },
      },
      { name: 'dryRun', in: 'query', required: false, schema: { default: false, type: 'boolean' } },
      {
        name: 'tags',
        in: 'query',
        required: true,
        schema: { type: 'array', items: { type: 'string' } },
      },
    ])
    expect(forget?.parameters).toMatchObject([{ name: 'deviceId', in: 'path', required: true }])
  })

  it('declares no form and no page on routes without a redirect', () => {
    expect(rename?.requestBody).toEqual({
      required: true,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Rename' } } },
    })
    expect(rename?.responses[500]).toEqual({ $ref: '#/components/responses/Internal' })
    expect(forget?.requestBody).toBeUndefined()
  })

  it('requires the cookie where a route declares 401', () => {
    expect(rename?.security).toEqual([{ sessionCookie: [] }, {}])
    expect(forget?.security).toEqual([{ sessionCookie: [] }])
  })

  it('describes a response by its schema, and an empty response without content', () => {
    expect(rename?.responses[200]).toMatchObject({
      description: 'A device.',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Device' } } },
    })
    expect(rename?.responses[204]).not.toHaveProperty('content')
  })

  it('throws for two schemas with the same id', () => {
    const other = z.object({ id: z.number() }).meta({ id: 'Device' })
    expect(() => components.schema(other, 'output')).toThrow(/Device/)
  })

  it('throws for responses and headers that it cannot describe, instead of omitting them', () => {
    const route = { method: 'GET', path: '/x', responses: { 200: { contentType: 'text/csv' } } }
    expect(() => operationOf(['x', route], 'X', components, OWN_DIALECT)).toThrow(/zod schema/)
    const headers = { ...route, headers: { accept: z.string() } }
    expect(() => operationOf(['x', headers], 'X', components, OWN_DIALECT)).toThrow(/headers/)
  })
})
