import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, cpus, loadavg, platform, totalmem } from 'node:os'

const SERVER_CORE = 0
const OTHER_CORE = 1

const run = (program, args) => {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return undefined
  }
}

/** Whether processes can be given a core of their own here. */
export const canPin =
  cpus().length > 1 && run('taskset', ['-c', '-p', String(process.pid)]) !== undefined

/** Moves this process to the core of everything that is not a server; what it starts stays there. */
export function pinSelf() {
  if (canPin) run('taskset', ['-a', '-c', '-p', String(OTHER_CORE), String(process.pid)])
}

/** A command line that runs node on the core of the server under test. */
export function onServerCore(args) {
  return canPin
    ? ['taskset', ['-c', String(SERVER_CORE), process.execPath, ...args]]
    : [process.execPath, args]
}

/** What the results were measured on. */
export function describeMachine() {
  const git = (...args) => run('git', ['-C', import.meta.dirname, ...args])?.trim()
  const { dependencies } = JSON.parse(
    readFileSync(new URL('./package.json', import.meta.url), 'utf8'),
  )
  const require = createRequire(import.meta.url)
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', '--short=12', 'HEAD') ?? 'unknown',
    changed: (git('status', '--porcelain', '--', '../..', ':!../../server/bench') ?? '') !== '',
    node: process.version,
    platform: `${platform()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    loadAtStart: loadavg()[0],
    pinned: canPin,
    packages: Object.fromEntries(
      Object.keys(dependencies).map((name) => [name, versionOf(require, name)]),
    ),
  }
}

/** By its file: not every package exports its package.json. */
function versionOf(require, name) {
  for (const directory of require.resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(`${directory}/${name}/package.json`, 'utf8')).version
    } catch {
      // The next directory up.
    }
  }
  return 'missing'
}
