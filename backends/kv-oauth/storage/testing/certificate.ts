import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWithPrograms } from './describe-with-programs.js'

/** `describe` for tests that need a certificate. */
export const describeWithOpenssl = describeWithPrograms('openssl')

/** A self-signed certificate and its key. */
export interface TestCertificate {
  readonly certificate: string
  readonly key: string
  remove(): void
}

/** Creates a certificate for a host name, readable by the user that test servers run as. */
export function createTestCertificate(host: string): TestCertificate {
  const directory = mkdtempSync(join(tmpdir(), 'netscript-auth-tls-'))
  const [certificate, key] = [join(directory, 'server.crt'), join(directory, 'server.key')]
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${host}`],
      ...['-addext', `subjectAltName=DNS:${host}`, '-keyout', key, '-out', certificate],
    ],
    { stdio: 'pipe' },
  )
  chmodSync(directory, 0o755)
  chmodSync(key, 0o600)
  if (process.getuid?.() === 0) chownSync(key, 65534, 65534)
  return { certificate, key, remove: () => rmSync(directory, { recursive: true, force: true }) }
}
