import { copyFile, mkdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { judge, readCurrent, readReleased, readVersioned, RELEASED } from './verdict.js'

/*
 * `npm run contract:check`: reports breaking changes since the last release. To compare two files
 * named by version: `npm run contract:check -- 0.1.0.json 0.2.0.json`.
 *
 * `npm run contract:release`, part of a release: if there are none, or the new version allows them,
 * stores the committed document as the released one, under the current version of the package.
 *
 * Exit code 0: no breaking change, or the new version allows them. 1: breaking changes. 2: a document
 * cannot be read.
 */
try {
  const isRelease = process.argv.includes('--release')
  const [earlier, later] = process.argv.slice(2).filter((argument) => argument !== '--release')
  const released = await (earlier === undefined ? readReleased() : readVersioned(earlier))
  const current = await (later === undefined ? readCurrent() : readVersioned(later))
  const { allowed, report } = judge(released, current)
  if (allowed) console.log(report)
  else console.error(report)
  process.exitCode = allowed ? 0 : 1
  if (isRelease && allowed) await store(current.version)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 2
}

async function store(version: string): Promise<void> {
  await rm(RELEASED, { recursive: true })
  await mkdir(RELEASED)
  const committed = fileURLToPath(new URL('../auth.v1.json', import.meta.url))
  await copyFile(committed, `${RELEASED}${version}.json`)
  console.log(`openapi/released/${version}.json is written.`)
}
