import { AuthClientError } from './error.js'

/**
 * An id as one segment of a path. One that names another path is refused: without its id "end this
 * session" would mean "end all others".
 *
 * @throws AuthClientError `VALIDATION_ERROR` when the id is empty, `.` or `..`.
 */
export function pathSegment(id: string): string {
  if (/^\.{0,2}$/.test(id)) {
    throw new AuthClientError('VALIDATION_ERROR', 'The id in the path is missing.')
  }
  return encodeURIComponent(id)
}
