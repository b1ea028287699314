import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, closeSync, readFileSync, truncateSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { onServerCore } from './machine.mjs'

const START_PATIENCE_MS = 30_000
const END_PATIENCE_MS = 5_000
const JOB_PATIENCE_MS = 30_000
const POLL_MS = 5
const here = (file) => join(import.meta.dirname, file)
const GUARD = ['--import', here('end-with-parent.mjs')]

/** Finds a free port, for subjects that must know their port before they listen. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** A minimal environment: the benchmark's own variables must not reach a server. */
function environment(own) {
  const { PATH, HOME } = process.env
  return { PATH, HOME, NODE_ENV: 'production', ...own }
}

/** Starts a subject on the server's core and resolves when it answers. */
export async function startSubject(subject, { databaseUrl, issuer, service, directory }) {
  const port = await freePort()
  const own = subject.process
  const args = own ? [own.program, ...own.args] : [here('serve.mjs'), subject.serveAs ?? subject.id]
  const env = own
    ? own.environment({ port, databaseUrl, issuer })
    : {
        BENCH_DATABASE_URL: databaseUrl,
        BENCH_PORT: String(port),
        BENCH_ISSUER: issuer,
        BENCH_SERVICE: service,
      }
  const logFile = join(directory, `${subject.id}-${port}.log`)
  const log = openSync(logFile, 'a')
  const [program, programArgs] = onServerCore([...GUARD, ...args])
  const began = performance.now()
  const child = spawn(program, programArgs, {
    cwd: directory,
    env: environment(env),
    stdio: ['ignore', log, log, 'ipc'],
  })
  closeSync(log)
  const ended = once(child, 'exit')
  try {
    await answers({ child, port, path: own?.readyPath, logFile })
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`${subject.label} did not start: ${error.message}`)
  }
  return {
    subject,
    port,
    pid: child.pid,
    startMs: performance.now() - began,
    /** Truncate the log between measurements, since it would fill the disk. */
    emptyLog: () => truncateSync(logFile, 0),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      const force = setTimeout(() => child.kill('SIGKILL'), END_PATIENCE_MS)
      await ended
      clearTimeout(force)
    },
  }
}

/** Resolves when the process responds over HTTP, with 200 if it has a readiness path. */
async function answers({ child, port, path, logFile }) {
  for (
    const deadline = Date.now() + START_PATIENCE_MS;
    Date.now() < deadline;
    await delay(POLL_MS)
  ) {
    if (child.exitCode !== null) {
      throw new Error(
        readFileSync(logFile, 'utf8').slice(-2_000) || `it ended with ${child.exitCode}`,
      )
    }
    const signal = AbortSignal.timeout(2_000)
    const url = `http://127.0.0.1:${port}${path ?? '/'}`
    const response = await fetch(url, { signal }).catch(() => undefined)
    await response?.body?.cancel()
    if (response && (!path || response.ok)) return
  }
  throw new Error('it did not answer in time')
}

/** Starts a helper on the other core; its first message is the greeting. */
export async function startHelper(file, args = []) {
  const child = spawn(process.execPath, [...GUARD, here(file), ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  const [greeting] = await once(child, 'message')
  return {
    greeting,
    /** Runs one job; jobs run sequentially. */
    async do(job) {
      const signal = AbortSignal.timeout(job.warm + job.measure + JOB_PATIENCE_MS)
      child.send(job)
      const [{ result, error }] = await once(child, 'message', { signal })
      if (error) throw new Error(error)
      return result
    },
    async stop() {
      child.kill()
      await ended
    },
  }
}
