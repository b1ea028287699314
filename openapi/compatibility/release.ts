import { copyFile, mkdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { readCurrent, readReleased, RELEASED } from './released.js'
import { judge } from './verdict.js'

/*
 * `npm run contract:release`: keeps the committed document as that of this version of the package,
 * in place of the last one. It is part of a release, and refuses what contract:check refuses.
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
