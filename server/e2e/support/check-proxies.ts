import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  describeWithPrograms,
  PATH,
} from '../../../backends/kv-oauth/storage/testing/describe-with-programs.js'

const run = promisify(execFile)

/** `describe` for tests that ask the proxies of the deployment guide. */
export const describeWithProxies = describeWithPrograms('nginx', 'caddy', 'openssl')

/** What nginx says of a part of its `http` block; the certificates that it names are made for the check. */
export async function checkNginx(text: string): Promise<string[]> {
  return inDirectory(async (directory) => {
    const [certificate, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost']
    await run('openssl', [...request, '-keyout', key, '-out', certificate])
    const servers = text
      // A port that needs no privilege.
      .replaceAll('listen 443', 'listen 18443')
      .replaceAll(/(ssl_certificate )[^;]+/g, `$1${certificate}`)
      .replaceAll(/(ssl_certificate_key )[^;]+/g, `$1${key}`)
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${directory}/${name};`)
      .join(' ')
    const configuration = join(directory, 'nginx.conf')
    const around = `pid ${directory}/pid; error_log stderr; events {} http { access_log off; ${paths}`
    await writeFile(configuration, `${around}\n${servers}\n}\n`)
    return ask('nginx', ['-t', '-q', '-p', directory, '-c', configuration])
  })
}

/** What Caddy says of a Caddyfile. */
export async function checkCaddyfile(text: string): Promise<string[]> {
  return inDirectory(async (directory) => {
    const file = join(directory, 'Caddyfile')
    await writeFile(file, text)
    return ask('caddy', ['adapt', '--validate', '--adapter', 'caddyfile', '--config', file])
  })
}

async function inDirectory(check: (directory: string) => Promise<string[]>): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'netscript-proxy-'))
  try {
    return await check(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** What a program prints when it fails. */
async function ask(program: string, args: readonly string[]): Promise<string[]> {
  const env = { ...process.env, PATH, NETSCRIPT_AUTH_ORIGIN: 'http://localhost:18080' }
  return run(program, args, { env }).then(
    () => [],
    (error: Error & { stderr?: string }) => [error.stderr?.trim() || error.message],
  )
}
