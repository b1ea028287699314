import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

/** A redis-server for a test, on a free port of loopback and in its own directory. */
export interface TestRedis {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Kills the process; resolves when it has exited. */
  stop(): Promise<void>
  /** Restarts it on the same port and directory; resolves when it responds. */
  start(): Promise<void>
  close(): Promise<void>
}

const run = promisify(execFile)

/** Options that keep acknowledged writes across {@link TestRedis.stop}. */
export const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always']

/** Starts a redis-server, by default without persistence. */
export async function startTestRedis(options: readonly string[] = []): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'netscript-auth-redis-'))
  const port = await freePort()
  let child = await launch(port, directory, options)
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid ?? 0
    },
    stop,
    async start() {
      child = await launch(port, directory, options)
    },
    async close() {
      await stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** A cluster of three masters. */
export interface TestRedisCluster {
  /** The URLs of all nodes, separated by commas. */
  readonly urls: string
  readonly nodes: readonly TestRedis[]
  /** Starts a replica of a node; resolves when it is synchronized. */
  addReplica(of: number): Promise<TestRedis>
  close(): Promise<void>
}

/** Starts a {@link TestRedisCluster} and waits until every node knows all slots. */
export async function startTestRedisCluster(
  options: readonly string[] = [],
): Promise<TestRedisCluster> {
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', ...options]
  const nodes: TestRedis[] = []
  const replicas: TestRedis[] = []
  const startNode = async (): Promise<TestRedis> =>
    startTestRedis([...settings, '--cluster-port', String(await freePort())])
  const close = async (): Promise<void> => {
    for (const node of [...nodes, ...replicas]) await node.close()
  }
  const addReplica = async (of: number): Promise<TestRedis> => {
    const replica = await startNode()
    replicas.push(replica)
    const { port } = nodes[of]!
    const [added, known] = [`127.0.0.1:${replica.port}`, `127.0.0.1:${port}`]
    const master = ['--cluster-slave', '--cluster-master-id', await ask(port, 'cluster', 'myid')]
    await run('redis-cli', ['--cluster', 'add-node', added, known, ...master])
    await until(async () => /connected/.test(await ask(replica.port, 'role')))
    return replica
  }
  try {
    while (nodes.length < 3) nodes.push(await startNode())
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
    await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'])
    for (const { port } of nodes) {
      await until(async () => /cluster_state:ok/.test(await ask(port, 'cluster', 'info')))
    }
    return { urls: nodes.map(({ url }) => url).join(','), nodes, addReplica, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The output of redis-cli for a command. */
export async function ask(port: number, ...command: string[]): Promise<string> {
  return (await run('redis-cli', ['-p', String(port), ...command])).stdout.trim()
}

async function launch(
  port: number,
  directory: string,
  options: readonly string[],
): Promise<ChildProcess> {
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '']
  const child = spawn('redis-server', [...fixed, ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  const append = (chunk: Buffer): void => void (said += chunk.toString())
  child.stdout.on('data', append)
  child.stderr.on('data', append)
  const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error))
  failed.catch(() => undefined)
  const ready = until(async () => {
    if (child.exitCode !== null) throw new Error(`redis-server ended:\n${said}`)
    return (await answers(port)) && (await ask(port, 'ping')) === 'PONG'
  })
  await Promise.race([ready, failed])
  return child
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 20_000; !(await holds()); await delay(10)) {
    if (performance.now() > deadline) throw new Error('It took too long.')
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
