/** What network errors mean, and what to look at. */
const REASONS: Readonly<Record<string, readonly [what: string, mend: string]>> = {
  ECONNREFUSED: ['nothing listens there', 'Start it, or correct the address.'],
  ECONNRESET: ['the connection was cut', 'Look at proxies and firewalls on the way.'],
  ENOTFOUND: ['its name is not known', 'Correct the name, or look at the DNS of this machine.'],
  EAI_AGAIN: ['names cannot be looked up', 'Look at the DNS of this machine.'],
  EHOSTUNREACH: ['there is no way to it', 'Look at routes and firewalls of this machine.'],
  ENETUNREACH: ['there is no way to it', 'Look at routes and firewalls of this machine.'],
  ETIMEDOUT: ['it does not answer', 'Look at firewalls on the way.'],
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/
const TIMEOUT = /timeout|aborted|did not answer/i

/** Why something could not be reached, in a few words, and the mend. */
export function networkReason(error: unknown): { what: string; mend: string } {
  for (let cause = error; cause instanceof Error; cause = innerCause(cause)) {
    const { code = '' } = cause as NodeJS.ErrnoException
    const [what, mend] = REASONS[code] ?? []
    if (what !== undefined && mend !== undefined) return { what, mend }
    if (CERTIFICATE.test(code)) {
      return {
        what: `its certificate is not trusted (${code})`,
        mend: 'Set NODE_EXTRA_CA_CERTS to the file of the authority that signed it.',
      }
    }
    if (TIMEOUT.test(`${cause.name} ${cause.message}`)) {
      return { what: 'it does not answer in time', mend: 'Look at firewalls on the way.' }
    }
  }
  return { what: 'it cannot be reached', mend: 'Correct the address, or look at the network.' }
}

/** A connection that was tried on several addresses fails with one error for each. */
function innerCause(error: Error): unknown {
  return error instanceof AggregateError ? (error.errors as unknown[])[0] : error.cause
}
