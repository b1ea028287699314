import { createRequire } from 'node:module'
import { type Check, fail, type Finding, ok } from './finding.js'

const { engines } = createRequire(import.meta.url)('@netscript/plugin-auth/package.json') as {
  engines: { node: string }
}

export const checkNodeVersion: Check = () => [nodeFinding(process.versions.node)]

/** Checks that the package supports a Node version. */
export function nodeFinding(version: string, range = engines.node): Finding {
  const oldest = range.replace('>=', '')
  return version.localeCompare(oldest, 'en', { numeric: true }) < 0
    ? fail('NODE', `Node ${version} is too old.`, `Install Node ${oldest} or later.`)
    : ok('NODE', `Node ${version}.`)
}
