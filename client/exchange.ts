import { AuthClientError } from './error.js'
import { PROBLEM_STATUSES } from './generated/routes.js'

/** The part of `fetch` that clients use: `globalThis.fetch`, or one with a cookie jar. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>

/** The longest delay of a timer; a longer one, such as Infinity, would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

export interface Transport {
  fetch?: Fetch | undefined
  /** @default 30000 */
  timeoutMs?: number | undefined
}

interface ClientRequest {
  url: string
  method: string
  headers: HeadersInit | undefined
  body?: string | undefined
  signal?: AbortSignal | undefined
}

/** A successful response and its parsed JSON body. */
interface Answer {
  response: Response
  body: unknown
}

/**
 * Sends a request once, with the cookies of the browser, and reads the response.
 *
 * @throws AuthClientError for a problem document, a redirect, a response that is not JSON, a network
 * error, an abort and a timeout.
 */
export async function exchange(transport: Transport, request: ClientRequest): Promise<Answer> {
  const { response, text } = await send(transport, request)
  // Browsers report a manual redirect as opaque, with status 0. The API never redirects JSON requests.
  if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
    throw unexpected(
      response,
      'The response is a redirect. Check that baseUrl is the service itself.',
    )
  }
  const body = readJson(response, text)
  if (!response.ok) throw toError(response, body)
  return { response, body }
}

export function unexpected(response: Response, message: string, cause?: unknown): AuthClientError {
  return new AuthClientError('UNEXPECTED_RESPONSE', message, { ...context(response), cause })
}

async function send(
  { fetch = (input, init) => globalThis.fetch(input, init), timeoutMs = 30_000 }: Transport,
  { url, signal, method, headers: given, body }: ClientRequest,
): Promise<{ response: Response; text: string }> {
  const headers = new Headers(given)
  headers.set('accept', 'application/json')
  // CSRF: the service accepts JSON without an Origin header (outside browsers); a cross-site form
  // cannot send it.
  if (method !== 'GET') headers.set('content-type', 'application/json')
  if (signal?.aborted) throw aborted(signal)
  const controller = new AbortController()
  let stop = (_error: AuthClientError): void => {}
  // Some runtimes drop the reason of an abort, or ignore the signal (React Native), so race it too.
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = (error) => {
      reject(error)
      controller.abort()
    }
  })
  const timer = setTimeout(() => stop(noAnswer('TIMEOUT')), Math.min(timeoutMs, LONGEST_TIMER_MS))
  const abort = (): void => stop(aborted(signal))
  signal?.addEventListener('abort', abort)
  const answer = async (): Promise<{ response: Response; text: string }> => {
    try {
      const response = await fetch(url, {
        method,
        headers,
        credentials: 'include',
        redirect: 'manual',
        signal: controller.signal,
        ...(body !== undefined && { body }),
      })
      return { response, text: await response.text() }
    } catch (cause) {
      throw noAnswer('NETWORK_ERROR', cause)
    }
  }
  try {
    return await Promise.race([stopped, answer()])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

const NO_ANSWER = {
  NETWORK_ERROR: 'The authentication service is unreachable.',
  TIMEOUT: 'The authentication service timed out.',
  ABORTED: 'The call was aborted before the response arrived.',
}

const noAnswer = (code: keyof typeof NO_ANSWER, cause?: unknown): AuthClientError =>
  new AuthClientError(code, NO_ANSWER[code], { cause })

/** `AbortSignal.timeout()` aborts with a `TimeoutError` as its reason. */
function aborted(signal: AbortSignal | undefined): AuthClientError {
  const reason: unknown = signal?.reason
  const isTimeout = (reason as Error | undefined)?.name === 'TimeoutError'
  return noAnswer(isTimeout ? 'TIMEOUT' : 'ABORTED', reason)
}

function readJson(response: Response, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw unexpected(
      response,
      'The response is not JSON. Check that baseUrl is the service itself.',
      cause,
    )
  }
}

function toError(response: Response, body: unknown): AuthClientError {
  const { code, detail, data } = (body ?? {}) as Record<string, unknown>
  if (!isCode(code, response.status) || typeof detail !== 'string') {
    return unexpected(response, `The service responded with status ${response.status}.`)
  }
  return new AuthClientError(code, detail, { ...context(response), data })
}

const isCode = (code: unknown, status: number): code is keyof typeof PROBLEM_STATUSES =>
  (PROBLEM_STATUSES as Record<string, number>)[String(code)] === status

function context(response: Response): {
  status: number
  requestId: string | undefined
  retryAfterSeconds: number | undefined
} {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  return {
    status: response.status,
    requestId: response.headers.get('x-request-id') ?? undefined,
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined,
  }
}

/**
 * Encodes an id as one path segment. Ids that would change the path are refused:
 * `DELETE /sessions/` without an id would end all other sessions.
 *
 * @throws AuthClientError `VALIDATION_ERROR` when the id is empty, `.` or `..`.
 */
export function pathSegment(id: string): string {
  if (/^\.{0,2}$/.test(id)) {
    throw new AuthClientError('VALIDATION_ERROR', 'The id in the path is missing.')
  }
  return encodeURIComponent(id)
}
