import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { median } from './statistics.mjs'

/** `node testing-kit.mjs`: the cost of a signed-in test with @netscript/auth-testing, as JSON. */
const FILE = fileURLToPath(import.meta.url)
const PROCESSES = 3
const TESTS = 200

/** Medians of several processes; the times are CPU in milliseconds, `importMs` is elapsed time. */
export function measureTestingKit(onProgress) {
  onProgress('the testing kit')
  const runs = Array.from({ length: PROCESSES }, () =>
    JSON.parse(execFileSync(process.execPath, [FILE], { encoding: 'utf8' })),
  )
  const of = (name) => median(runs.map((run) => run[name]))
  return {
    importMs: of('importMs'),
    importCpuMs: of('importCpuMs'),
    firstCpuMs: of('firstCpuMs'),
    testCpuMs: of('testCpuMs'),
  }
}

async function cpuMsOf(work) {
  const before = process.cpuUsage()
  const result = await work()
  const { user, system } = process.cpuUsage(before)
  return { result, ms: (user + system) / 1000 }
}

async function measure() {
  const began = performance.now()
  const { result, ms: importCpuMs } = await cpuMsOf(() => import('@netscript/auth-testing'))
  const importMs = performance.now() - began
  const costs = []
  for (let n = 0; n < TESTS; n += 1) {
    const { result: me, ms } = await cpuMsOf(async () => {
      const auth = await result.createTestAuth()
      const ada = await auth.signInAs({ name: 'Ada', roles: ['clerk'] })
      return (await ada.fetch('/api/v1/auth/me')).json()
    })
    if (me.user?.displayName !== 'Ada') throw new Error(`GET /me says ${JSON.stringify(me)}.`)
    costs.push(ms)
  }
  return { importMs, importCpuMs, firstCpuMs: costs[0], testCpuMs: median(costs) }
}

if (process.argv[1] === FILE) console.log(JSON.stringify(await measure()))
