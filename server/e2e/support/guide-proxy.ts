import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PATH } from '../../../backends/kv-oauth/storage/testing/describe-with-programs.js'

/** Ports of this machine in place of the addresses of a guide. */
export interface GuidePorts {
  /** For `app.example.com`. */
  readonly proxy: number
  /** For `127.0.0.1:8094`. */
  readonly service: number
  /** For `127.0.0.1:3000`. */
  readonly application: number
}

/** A program that a test started. */
export interface Running {
  close(): Promise<void>
}

const onThisMachine = (block: string, { service, application }: GuidePorts): string =>
  block
    .replaceAll('127.0.0.1:8094', `127.0.0.1:${service}`)
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${application}`)

/** Runs nginx with a server of a guide, without TLS. */
export async function startNginx(block: string, ports: GuidePorts): Promise<Running> {
  const server = onThisMachine(block, ports)
    .replace('listen 443 ssl', `listen 127.0.0.1:${ports.proxy}`)
    .replaceAll(/^ *ssl_.*\n/gm, '')
    .replace('app.example.com', 'localhost')
  return startProxy(ports.proxy, (directory) => {
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${directory}/${name};`)
      .join(' ')
    return {
      file: 'nginx.conf',
      text: `daemon off; master_process off; pid ${directory}/pid; error_log stderr; events {} http { access_log off; ${paths}\n${server}\n}\n`,
      command: ['nginx', '-p', directory, '-c', join(directory, 'nginx.conf')],
    }
  })
}

/** Runs Caddy with a Caddyfile of a guide, without TLS. */
export async function startCaddy(block: string, ports: GuidePorts): Promise<Running> {
  const site = onThisMachine(block, ports).replace(
    'app.example.com',
    `http://localhost:${ports.proxy}`,
  )
  return startProxy(ports.proxy, (directory) => ({
    file: 'Caddyfile',
    text: `{\n\tadmin off\n\tauto_https off\n}\n${site}`,
    command: ['caddy', 'run', '--adapter', 'caddyfile', '--config', join(directory, 'Caddyfile')],
  }))
}

/** Runs the application of `application.py` on a free port. */
export async function startApplication(): Promise<Running & { readonly port: number }> {
  const child = spawn('python3', [join(import.meta.dirname, 'application.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { port: Number(line), close: () => end(child) }
}

async function startProxy(
  port: number,
  describe: (directory: string) => { file: string; text: string; command: readonly string[] },
): Promise<Running> {
  const directory = await mkdtemp(join(tmpdir(), 'netscript-forward-auth-'))
  const { file, text, command } = describe(directory)
  await writeFile(join(directory, file), text)
  const [program = '', ...args] = command
  const env = { ...process.env, PATH, HOME: directory, XDG_DATA_HOME: directory }
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += String(chunk)))
  const close = async (): Promise<void> => {
    await end(child)
    await rm(directory, { recursive: true, force: true })
  }
  for (let attempt = 0; !(await accepts(port)); attempt += 1) {
    if (child.exitCode === null && attempt < 200) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      continue
    }
    await close()
    throw new Error(`${program} does not listen: ${said}`)
  }
  return { close }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => (socket.destroy(), resolve(true)))
    socket.once('error', () => resolve(false))
  })
