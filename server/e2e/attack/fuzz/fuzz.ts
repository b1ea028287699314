import fc from 'fast-check'
import { leadsAway } from '../../../attack/cases/return-targets.js'
import { type Answer, createSender } from '../../../attack/exchange.js'
import { API, type AttackTarget } from '../../../attack/target.js'
import { type Operation, readDocument, readOperations } from './document.js'
import { createJudge } from './judge.js'
import { type FuzzMaterial, type FuzzRequest, requestsTo, toAttackRequest } from './requests.js'

const CONNECTIONS = 24

/** Options of {@link fuzz}. */
export interface FuzzOptions {
  /** Requests to each route. Default: 2,000. */
  readonly runs?: number
  /** The same seed generates the same requests. Default: random. */
  readonly seed?: number
}

/** The result for a route. */
export interface FuzzResult {
  readonly operation: string
  readonly seed: number
  /** Number of responses per status. */
  readonly statuses: ReadonlyMap<number, number>
  /** How to reproduce the first failure, with the smallest request that fails the same way. */
  readonly failure?: string
}

/**
 * Sends requests derived from the OpenAPI document to every route of it, and yields a result for each.
 * Every answer must be declared for its route and valid against its schema, and none is a 5xx.
 */
export async function* fuzz(
  target: AttackTarget,
  { runs = 2_000, seed = Date.now() & 0x7fffffff }: FuzzOptions = {},
): AsyncGenerator<FuzzResult> {
  const { origin } = new URL(target.baseUrl)
  const document = readDocument()
  const judge = createJudge(document, origin.startsWith('https:'))
  const sender = createSender(origin, CONNECTIONS)
  try {
    for (const operation of readOperations(document)) {
      const cookie = await target.signIn?.()
      const material = { origin, cookies: cookie === undefined ? [] : [cookie] }
      const attempt = async (request: FuzzRequest): Promise<Answer> => {
        const answer = await sender.send(request.path, toAttackRequest(request))
        judge(operation, answer)
        checkRedirect(target, operation, answer)
        return answer
      }
      yield await fuzzOperation(operation, { material, attempt, runs, seed })
    }
  } finally {
    sender.close()
  }
}

async function fuzzOperation(
  operation: Operation,
  options: {
    material: FuzzMaterial
    attempt: (request: FuzzRequest) => Promise<Answer>
    runs: number
    seed: number
  },
): Promise<FuzzResult> {
  const { material, attempt, runs, seed } = options
  const arbitrary = requestsTo(operation, material)
  const statuses = new Map<number, number>()
  let failed: number | undefined
  let first: unknown
  const queue = fc.sample(arbitrary, { seed, numRuns: runs }).entries()
  const worker = async (): Promise<void> => {
    for (const [index, request] of queue) {
      try {
        const { status } = await attempt(request)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      } catch (error) {
        first ??= error
        failed = Math.min(failed ?? index, index)
      }
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  const result = { operation: operation.id, seed, statuses }
  if (failed === undefined) return result
  // Reproduces the failure alone and shrinks it.
  const details = await fc.check(
    fc.asyncProperty(arbitrary, async (request) => void (await attempt(request))),
    { seed, path: String(failed), numRuns: 1 },
  )
  const [smallest] = details.counterexample ?? []
  const error = details.errorInstance
  return {
    ...result,
    failure: `seed ${seed}, request ${failed}: ${
      smallest === undefined
        ? `it did not fail a second time; the first failure was: ${String(first)}`
        : `${error instanceof Error ? error.message : String(error)}\n${JSON.stringify(smallest)}`
    }`,
  }
}

/** POST /signout redirects only to an allowed origin or to the logout route. */
function checkRedirect(
  { allowedOrigins = [], baseUrl }: AttackTarget,
  operation: Operation,
  { headers: { location } }: Answer,
): void {
  if (operation.id !== 'signout' || location === undefined) return
  const { origin } = new URL(baseUrl)
  const away = leadsAway(location, origin, allowedOrigins)
  if (away !== undefined) throw new Error(`signout redirects to ${location}, which ${away}`)
}

/** Checks that the service is healthy: its probe responds, and a request without a session is anonymous. */
export async function isHealthy({ baseUrl }: AttackTarget): Promise<boolean> {
  const [ready, me] = await Promise.all([
    fetch(new URL('/health/ready', baseUrl)),
    fetch(new URL(`${API}/me`, baseUrl)),
  ])
  return ready.ok && (await me.text()) === '{"authenticated":false}'
}
