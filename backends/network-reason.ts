/** What a network error code means, and how to fix it. */
const REASONS: Readonly<Record<string, readonly [what: string, fix: string]>> = {
  ECONNREFUSED: ['nothing listens there', 'Start it, or correct the address.'],
  ECONNRESET: ['the connection was cut', 'Look at proxies and firewalls on the way.'],
  ENOTFOUND: ['its name is not known', 'Correct the name, or look at the DNS of this machine.'],
  EAI_AGAIN: ['names cannot be looked up', 'Look at the DNS of this machine.'],
  EHOSTUNREACH: ['there is no way to it', 'Look at routes and firewalls of this machine.'],
  ENETUNREACH: ['there is no way to it', 'Look at routes and firewalls of this machine.'],
  ETIMEDOUT: ['the connection timed out', 'Look at firewalls on the way.'],
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/
const TIMEOUT = /timeout|aborted|did not answer/i

/** The kind of network error, for logs. */
type NetworkFailure = 'unreachable' | 'certificate' | 'timeout'

/** Explains a network error: its kind, what happened and the fix. */
export function networkReason(error: unknown): {
  failure: NetworkFailure
  what: string
  fix: string
} {
  for (let cause = error; cause instanceof Error; cause = innerCause(cause)) {
    const { code = '' } = cause as NodeJS.ErrnoException
    const [what, fix] = REASONS[code] ?? []
    if (what !== undefined && fix !== undefined) {
      return { failure: code === 'ETIMEDOUT' ? 'timeout' : 'unreachable', what, fix }
    }
    if (CERTIFICATE.test(code)) {
      return {
        failure: 'certificate',
        what: `its certificate is not trusted (${code})`,
        fix: 'Set NODE_EXTRA_CA_CERTS to the file of the authority that signed it.',
      }
    }
    if (TIMEOUT.test(`${cause.name} ${cause.message}`)) {
      const what = 'it does not respond in time'
      return { failure: 'timeout', what, fix: 'Look at firewalls on the way.' }
    }
  }
  const what = 'it cannot be reached'
  return { failure: 'unreachable', what, fix: 'Correct the address, or look at the network.' }
}

/** A connection attempt to several addresses fails with one error for each. */
function innerCause(error: Error): unknown {
  return error instanceof AggregateError ? (error.errors as unknown[])[0] : error.cause
}
