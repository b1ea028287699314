import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The user that a child process runs as. */
export interface Identity {
  readonly uid: number
  readonly gid: number
}

/** The Unix account `nobody` on Linux; initdb requires a user listed in /etc/passwd. */
const NOBODY: Identity = { uid: 65534, gid: 65534 }

/**
 * The OS user that runs Postgres, which refuses to run as root: the owner of an existing cluster, or else
 * the Unix account `nobody`. `undefined` when this process is not root and runs Postgres as itself.
 */
export function postgresIdentity(dataDir: string): Identity | undefined {
  if (process.getuid?.() !== 0) return undefined
  if (!existsSync(join(dataDir, 'PG_VERSION'))) return NOBODY
  const { uid, gid } = statSync(dataDir)
  return { uid, gid }
}

/** Whether `identity` can traverse every directory above `path` and read it. */
export function isReachable(path: string, identity: Identity | undefined): boolean {
  if (!identity) return true
  const parent = dirname(path)
  if (!allows(path, identity, 0o4)) return false
  for (let directory = parent; ; directory = dirname(directory)) {
    if (!allows(directory, identity, 0o1)) return false
    if (directory === dirname(directory)) return true
  }
}

function allows(path: string, { uid, gid }: Identity, right: number): boolean {
  const stat = statSync(path)
  const shift = stat.uid === uid ? 6 : stat.gid === gid ? 3 : 0
  return ((stat.mode >> shift) & right) === right
}
