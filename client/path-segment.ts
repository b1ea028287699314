import { AuthClientError } from './error.js'

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
