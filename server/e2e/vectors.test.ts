import type * as Crypto from 'node:crypto'
import type * as TsRestExpress from '@ts-rest/express'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { checkDeclared, DECLARED_PAIRS, findRoute } from './support/declared.js'
import { type AdaptersUnderTest, startAdapters, toRaw } from './vectors/adapters.js'
import { openStage, type Stage } from './vectors/scene.js'
import {
  type Adapter,
  ADAPTERS,
  adaptersOf,
  type Answer,
  readVectors,
  toAnswer,
  toResponse,
  type Vector,
  writeVectors,
} from './vectors/vector.js'

/** How much randomness was drawn, and whether Express gets the routes of the contract. */
const injected = vi.hoisted(() => ({ draws: 0, hasRouter: true }))

vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof Crypto>()
  const randomBytes = (size: number): Buffer => {
    const hash = crypto.createHash('shake256', { outputLength: size })
    return hash.update(`draw ${(injected.draws += 1)}`).digest()
  }
  const randomUUID = (): string =>
    randomBytes(16)
      .toString('hex')
      .replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5')
  return { ...crypto, randomBytes, randomUUID }
})

vi.mock('@ts-rest/express', async (original) => {
  const library = await original<typeof TsRestExpress>()
  const createExpressEndpoints = ((...given: Parameters<typeof library.createExpressEndpoints>) => {
    if (injected.hasRouter) library.createExpressEndpoints(...given)
  }) as typeof library.createExpressEndpoints
  return { ...library, createExpressEndpoints }
})

const files = readVectors()
const isWriting = process.env.VECTORS === 'write'

let stage: Stage
let adapters: AdaptersUnderTest
beforeAll(async () => {
  const { randomBytes } = await import('node:crypto')
  vi.spyOn(globalThis.crypto, 'getRandomValues').mockImplementation((array) => {
    if (!(array instanceof Uint8Array)) throw new TypeError('Only bytes are drawn here.')
    // A nonce of pg (SCRAM), which opens a connection whenever none is free.
    if (array.length === 18) return array
    array.set(randomBytes(array.length))
    return array
  })
  stage = await openStage(() => (injected.draws = 0))
  adapters = await startAdapters()
})
afterAll(async () => {
  await adapters.close()
  await stage.close()
})

/** What an adapter answers to the request of a vector in the state that it names. */
async function answerTo({ given, request }: Vector, adapter: Adapter): Promise<Answer> {
  const scene = await stage.set(given)
  try {
    // What the request draws does not depend on what its state has drawn.
    injected.draws = 1000
    const send = adapters.open(adapter, scene.options)
    const raw = toRaw(request, scene.values)
    if (scene.isSecond) await send(raw)
    return await send(raw)
  } finally {
    await scene.close()
  }
}

const named = (vectors: readonly Vector[]): [string, Vector][] =>
  vectors.map((vector) => [vector.name, vector])

if (isWriting) {
  describe.each([...files])('%s', (file, vectors) => {
    it.each(named(vectors))('%s', async (_name, vector) => {
      vector.response = toResponse(await answerTo(vector, adaptersOf(vector)[0]!))
    })
    afterAll(() => writeVectors(file, vectors))
  })
} else {
  describe.each(ADAPTERS)('the %s adapter', (adapter) => {
    describe.each([...files])('%s', (_file, vectors) => {
      const own = vectors.filter((vector) => adaptersOf(vector).includes(adapter))
      it.each(named(own))('%s', async (_name, vector) => {
        expect(await answerTo(vector, adapter)).toEqual(toAnswer(vector.response))
      })
    })
  })

  describe('the vectors', () => {
    const all = [...files.values()].flat()

    it('are at least 150, reach every declared pair of a route and a status, and no other', () => {
      const pairs = all.flatMap((vector): string[] => {
        const key = routeKeyOf(vector)
        return key === undefined ? [] : [`${key} ${vector.response.status}`]
      })
      expect(all.length).toBeGreaterThanOrEqual(150)
      expect([...new Set(pairs)].sort()).toEqual([...DECLARED_PAIRS].sort())
    })

    it('have the bodies that the contracts declare', async () => {
      for (const { request, response } of all.filter(
        (vector) => routeKeyOf(vector) !== undefined,
      )) {
        const { body, status } = toAnswer(response)
        const headers = { 'content-type': String(response.headers['content-type']) }
        const url = new URL(request.target, 'https://auth.example').href
        await checkDeclared(request.method, url, new Response(body || null, { status, headers }))
      }
    })

    it('leave out an adapter only where it cannot be asked', () => {
      for (const vector of all) {
        const { given = [], name } = vector
        const leftOut = ADAPTERS.filter((adapter) => !adaptersOf(vector).includes(adapter))
        // The app around Express or Fastify may have keys of its own while the API publishes none.
        const isOfHost = routeKeyOf(vector) === 'jwks' && given.includes('no tokens are issued')
        const expected = isOfHost
          ? ['express', 'fastify']
          : [
              ...(isRequest(vector) ? [] : ['fetch']),
              // Its router rejects such a path before any plugin runs.
              ...(isDecodable(vector) ? [] : ['fastify']),
            ]
        expect(leftOut, name).toEqual(expected)
      }
    })

    it('show nothing of the inside', () => {
      for (const { name, response } of all) {
        const { body, headers } = toAnswer(response)
        expect(body, name).not.toMatch(
          /SECRET|NETSCRIPT_|\n\s+at |node_modules|(Type|Range)Error|ECONN/,
        )
        expect(headers, name).not.toHaveProperty('etag')
        expect(headers, name).not.toHaveProperty('x-powered-by')
      }
    })
  })

  describe('createAuthApp without the router that @ts-rest/express generates', () => {
    beforeAll(() => void (injected.hasRouter = false))
    afterAll(() => void (injected.hasRouter = true))

    it.each([...successes()])('has nothing at the route %s', async (_route, vector) => {
      expect(await answerTo(vector, 'express')).toMatchObject({
        status: 404,
        body: expect.stringContaining('NOT_FOUND') as string,
      })
    })
  })
}

/** A vector for each route of the contracts whose handler answers. */
function successes(): Map<string, Vector> {
  const found = [...files.values()].flat().flatMap((vector): [string, Vector][] => {
    const key = routeKeyOf(vector)
    return key !== undefined && [200, 303].includes(vector.response.status) ? [[key, vector]] : []
  })
  return new Map(found)
}

/** Whether a `Request` of Fetch can be what a vector sends. */
function isRequest({ request: { method, target, headers = {}, body } }: Vector): boolean {
  if (method === 'TRACE' || (method === 'GET' && body !== undefined)) return false
  if (Object.values(headers).some((value) => typeof value !== 'string')) return false
  const sent = target.replace(/\{\{.+?\}\}/g, 'x')
  const { pathname, search } = new URL(`https://auth.example${sent}`)
  return pathname + search === sent.replace(/\?$/, '')
}

function isDecodable({ request: { target } }: Vector): boolean {
  try {
    decodeURI(target.split('?', 1)[0] ?? '')
    return true
  } catch {
    return false
  }
}

/** The key of the route that a vector asks for. */
function routeKeyOf({ request: { method, target } }: Vector): string | undefined {
  return findRoute(method, target.split('?', 1)[0] ?? '')?.[0]
}
