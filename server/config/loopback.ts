import { isIP } from 'node:net'

/** An origin on this machine, whole: `localhost.example` is not one. */
export const LOOPBACK_ORIGIN = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/

/** Whether an origin is on this machine. */
export const isLoopback = (origin: string): boolean => LOOPBACK_ORIGIN.test(origin)

/** Whether only this machine reaches what listens on a host. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
