import { copyFile, mkdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { readCurrent, readReleased, RELEASED } from './released.js'
import { judge } from './verdict.js'

/*
 * `npm run contract:release`: stores the committed document as the released one, under the current
 * version of the package. Part of a release. It fails when contract:check fails.
 */
const current = await readCurrent()
const { allowed, report } = judge(await readReleased(), current)
if (allowed) {
  await rm(RELEASED, { recursive: true })
  await mkdir(RELEASED)
  const committed = fileURLToPath(new URL('../auth.v1.json', import.meta.url))
  await copyFile(committed, `${RELEASED}${current.version}.json`)
  console.log(`openapi/released/${current.version}.json is written.`)
} else {
  console.error(report)
  process.exitCode = 1
}
