import { AuthClientError } from './error.js'

/**
 * An id as one segment of a path. One that would name another path is refused: without its id
 * "end this session" would read "end all others".
 *
 * @throws AuthClientError `VALIDATION_ERROR` when the id is empty, `.` or `..`.
 */
export function pathSegment(id: string): string {
  if (/^\.{0,2}$/.test(id)) {
    throw new AuthClientError('VALIDATION_ERROR', 'The id of a session is missing.')
  }
  return encodeURIComponent(id)
}
