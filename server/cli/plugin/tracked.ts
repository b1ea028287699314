import { spawnSync } from 'node:child_process'

/** Whether git tracks the file; `false` without git. */
export function isTracked(root: string, path: string): boolean {
  const { status } = spawnSync('git', ['ls-files', '--error-unmatch', path], {
    cwd: root,
    stdio: 'ignore',
  })
  return status === 0
}
