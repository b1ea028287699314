import { isIP } from 'node:net'

/** Matches a whole loopback origin, so not `localhost.example`. */
const LOOPBACK_ORIGIN = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/

/** Whether an origin is on this machine. */
export const isLoopback = (origin: string): boolean => LOOPBACK_ORIGIN.test(origin)

/** Whether a server that listens on this host is reachable from this machine only. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
