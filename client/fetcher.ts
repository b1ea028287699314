import type { ApiFetcher } from '@ts-rest/core'
import { ProblemDocument } from '../contract/errors.js'
import { AuthClientError } from './error.js'

/** A fetch, such as `globalThis.fetch` or one that keeps a cookie jar. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>

interface StandardSchema {
  '~standard': {
    validate(value: unknown): { value?: unknown; issues?: readonly unknown[] | undefined }
  }
}

/**
 * ts-rest's transport: sends cookies, validates what comes back against the contract, and throws
 * {@link AuthClientError} for anything that is not a declared success.
 */
export function createFetcher(fetch: Fetch): ApiFetcher {
  return async ({ route, path, method, headers, body, fetchOptions }) => {
    const response = await send(fetch, path, {
      ...fetchOptions,
      method,
      headers: { accept: 'application/json', ...headers },
      credentials: 'include',
      ...(body !== undefined && { body }),
    })
    const answer = await readJson(response)
    if (!response.ok) throw toError(response, answer)
    const schema: unknown = route.responses[response.status]
    const result = isStandardSchema(schema) ? schema['~standard'].validate(answer) : undefined
    if (!result || result.issues) {
      throw unexpected(response, 'The answer is not what the contract declares.')
    }
    return { status: response.status, body: result.value, headers: response.headers }
  }
}

async function send(fetch: Fetch, url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (cause) {
    throw new AuthClientError('NETWORK_ERROR', 'The authentication service did not answer.', {
      cause,
    })
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch (cause) {
    throw unexpected(
      response,
      'The answer is not JSON. Is baseUrl the authentication service?',
      cause,
    )
  }
}

function toError(response: Response, answer: unknown): AuthClientError {
  const parsed = ProblemDocument.safeParse(answer)
  if (!parsed.success) return unexpected(response, `The service answered ${response.status}.`)
  const { code, detail, data } = parsed.data
  return new AuthClientError(code, detail, { ...context(response), data })
}

function unexpected(response: Response, message: string, cause?: unknown): AuthClientError {
  return new AuthClientError('UNEXPECTED_RESPONSE', message, { ...context(response), cause })
}

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

function isStandardSchema(schema: unknown): schema is StandardSchema {
  return typeof schema === 'object' && schema !== null && '~standard' in schema
}
