import { readCurrent, readReleased, readVersioned } from './released.js'
import { judge } from './verdict.js'

/*
 * `npm run contract:check`: reports breaking changes since the last release. To compare two files
 * named by version: `npm run contract:check -- 0.1.0.json 0.2.0.json`.
 *
 * Exit code 0: no breaking change, or the new version allows them. 1: breaking changes. 2: a document
 * cannot be read.
 */
try {
  const [earlier, later] = process.argv.slice(2)
  const released = await (earlier === undefined ? readReleased() : readVersioned(earlier))
  const current = await (later === undefined ? readCurrent() : readVersioned(later))
  const { allowed, report } = judge(released, current)
  if (allowed) console.log(report)
  else console.error(report)
  process.exitCode = allowed ? 0 : 1
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 2
}
