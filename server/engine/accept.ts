import Negotiator from 'negotiator'
import type { EngineRequest } from './message.js'

/** The media type of `available` that an Accept header prefers; the first when it has no preference. */
export function preferredType<T extends string>(
  accept: string | undefined,
  available: readonly [T, ...T[]],
): T | undefined {
  if (accept === undefined) return available[0]
  return new Negotiator({ headers: { accept } }).mediaType([...available]) as T | undefined
}

/** Whether a browser wants a page rather than a problem document. */
export const prefersPage = ({ headers: { accept } }: Pick<EngineRequest, 'headers'>): boolean =>
  preferredType(accept as string | undefined, ['application/json', 'text/html']) === 'text/html'
