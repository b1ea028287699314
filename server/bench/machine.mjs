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

/** Whether processes can be pinned to a core on this machine. */
export const canPin =
  cpus().length > 1 && run('taskset', ['-c', '-p', String(process.pid)]) !== undefined

/** Pins this process and its children to the core that is not used by the server. */
export function pinSelf() {
  if (canPin) run('taskset', ['-a', '-c', '-p', String(OTHER_CORE), String(process.pid)])
}

/** A command line that runs node on the server's core. */
export function onServerCore(args) {
  return canPin
    ? ['taskset', ['-c', String(SERVER_CORE), process.execPath, ...args]]
    : [process.execPath, args]
}

/** Describes the machine of the measurement. */
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

/** Reads the file directly, because not every package exports its package.json. */
function versionOf(require, name) {
  for (const directory of require.resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(`${directory}/${name}/package.json`, 'utf8')).version
    } catch {
      // Try the parent directory.
    }
  }
  return 'missing'
}
