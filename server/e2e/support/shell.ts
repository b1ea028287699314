import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** What a command line answered. */
export interface ShellAnswer {
  readonly code: number | null
  readonly output: string
}

/** A command line that goes on running. */
export interface RunningShell {
  /** Resolves when the output has the text; rejects with the output when it ends first. */
  waitFor(text: string): Promise<void>
  /** Everything it has written so far. */
  output(): string
  /** Interrupts everything that it started, as Ctrl-C does, and waits for the end. */
  interrupt(): Promise<void>
}

/** A terminal in a directory: command lines run as they are written. */
export interface Shell {
  run(line: string): Promise<ShellAnswer>
  start(line: string): RunningShell
}

/** A user's environment, without variables of this service, npm and Vitest. */
export function personsEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(NETSCRIPT_|DATABASE_URL$|PORT$|NODE_ENV$|VITEST|npm_|INIT_CWD$)/.test(name),
    ),
  )
}

/** `environment` is read for each command line, as exports between them would have it. */
export function createShell(cwd: string, environment: Record<string, string | undefined>): Shell {
  const open = (line: string): { child: ChildProcess; output: () => string } => {
    const child = spawn('bash', ['-c', line], {
      cwd,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let text = ''
    const append = (chunk: Buffer): void => {
      text += chunk.toString()
      child.emit('output')
    }
    child.stdout.on('data', append)
    child.stderr.on('data', append)
    return { child, output: () => text }
  }
  return {
    async run(line) {
      const { child, output } = open(line)
      const [code] = (await once(child, 'close')) as [number | null]
      return { code, output: output() }
    },
    start(line) {
      const { child, output } = open(line)
      const closed = once(child, 'close')
      return {
        output,
        waitFor: (text) =>
          new Promise((resolve, reject) => {
            child.on('output', () => output().includes(text) && resolve())
            child.on('close', () => reject(new Error(`ended without "${text}":\n${output()}`)))
          }),
        async interrupt() {
          if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGINT')
          await closed
        },
      }
    },
  }
}
