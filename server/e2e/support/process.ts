import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { inject } from 'vitest'

/** `netscript` in a process of its own. */
export interface NetscriptProcess {
  readonly child: ChildProcess
  /** Everything it has written so far. */
  output(): string
  /** Resolves when the output has the text; rejects with the output when the process ends first. */
  waitFor(text: string | RegExp): Promise<void>
  /** Sends the signal to the node process and waits for its end; resolves to the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>
  /** Waits for the end. */
  ended: Promise<number | null>
}

/** Where a process runs, and what it reads. Default: here, and nothing. */
interface ProcessOptions {
  readonly cwd?: string
  readonly input?: string
}

/** Starts `netscript <args>`, compiled from source, with these variables and no others of the service. */
export function startNetscript(
  args: string[],
  env: Record<string, string>,
  preload: readonly string[] = [],
  options: ProcessOptions = {},
): NetscriptProcess {
  const imports = preload.flatMap((module) => ['--import', module])
  return startNode([...imports, inject('cli'), ...args], env, options)
}

/** Starts `node <args>` with these variables and no others of the service. */
export function startNode(
  args: string[],
  env: Record<string, string>,
  { cwd, input = '' }: ProcessOptions = {},
): NetscriptProcess {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(NETSCRIPT_|DATABASE_URL$|PORT$|NODE_ENV$|VITEST)/.test(name),
    ),
  )
  const child = spawn(process.execPath, args, {
    env: { ...inherited, ...env },
    cwd,
    stdio: 'pipe',
  })
  // One that ends without reading what it is sent says so by its exit code.
  child.stdin.on('error', () => {}).end(input)
  let text = ''
  const append = (chunk: Buffer): void => {
    text += chunk.toString()
    child.emit('output')
  }
  child.stdout.on('data', append)
  child.stderr.on('data', append)
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return {
    child,
    ended,
    output: () => text,
    waitFor: (wanted) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)) done(resolve)
        }
        const fail = (): void => done(() => reject(new Error(`ended without ${wanted}:\n${text}`)))
        const done = (settle: () => void): void => {
          child.off('output', look)
          child.off('close', fail)
          settle()
        }
        child.on('output', look)
        child.on('close', fail)
        if (child.exitCode === null && child.signalCode === null) look()
        else fail()
      }),
    async end(signal = 'SIGINT') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      return ended
    },
  }
}
