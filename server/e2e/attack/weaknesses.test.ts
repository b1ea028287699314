import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Weakness, WEAKNESSES } from './weaknesses.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const SOURCES = ['backends', 'client', 'contract', 'openapi', 'prisma', 'server', 'package.json']
const LIMIT_MS = 180_000

interface Report {
  testResults: {
    name: string
    message?: string
    assertionResults: { fullName: string; status: string }[]
  }[]
}

describe('a build with a seeded weakness', () => {
  let directory: string
  let failed: Map<string, string[]>

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'netscript-weak-'))
    const trees = await Promise.all(WEAKNESSES.map((weakness, n) => plant(weakness, String(n))))
    failed = await runAll(trees)
  }, LIMIT_MS)
  afterAll(() => rm(directory, { recursive: true, force: true }))

  /** A copy of the sources with the weakness in it. */
  async function plant(weakness: Weakness, name: string): Promise<{ root: string; test: string }> {
    const root = join(directory, name)
    await mkdir(root)
    for (const source of SOURCES) {
      await cp(join(ROOT, source), join(root, source), {
        recursive: true,
        filter: (path) => !/node_modules|\/bench(\/|$)/.test(relative(ROOT, path)),
      })
    }
    await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'))
    const file = join(root, weakness.file)
    const text = await readFile(file, 'utf8')
    const parts = text.split(weakness.find)
    if (parts.length !== 2) {
      throw new Error(`"${weakness.find}" stands ${parts.length - 1} times in ${weakness.file}`)
    }
    await writeFile(file, parts.join(weakness.replace))
    return { root, test: weakness.test }
  }

  /** Runs the tests of all trees in one Vitest; the names of those that failed, by tree. */
  async function runAll(
    trees: readonly { root: string; test: string }[],
  ): Promise<Map<string, string[]>> {
    const provide = {
      postgresUrl: inject('postgresUrl'),
      postgresTemplate: inject('postgresTemplate'),
    }
    const projects = trees.map(({ root, test }, n) => ({
      test: { name: String(n), root, include: [test], provide, testTimeout: 60_000 },
    }))
    const config = join(directory, 'vitest.config.mjs')
    const output = join(directory, 'report.json')
    await writeFile(
      config,
      `export default { test: { projects: ${JSON.stringify(projects)}, reporters: ['json'], outputFile: ${JSON.stringify(output)} } }`,
    )
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs')
    const child = spawn(
      process.execPath,
      [vitest, 'run', '--root', directory, '--config', config],
      {
        cwd: directory,
        stdio: 'ignore',
        env: Object.fromEntries(
          Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')),
        ),
      },
    )
    await once(child, 'close')
    const report = JSON.parse(await readFile(output, 'utf8')) as Report
    return new Map(
      report.testResults.map(({ name, assertionResults }) => [
        relative(directory, name).split('/')[0] ?? '',
        assertionResults
          .filter(({ status }) => status === 'failed')
          .map(({ fullName }) => fullName),
      ]),
    )
  }

  it.each(WEAKNESSES.map((weakness, n) => [weakness.name, n] as const))(
    '%s: is noticed',
    (_name, n) => {
      const names = failed.get(String(n)) ?? []
      expect(names.join('\n')).toContain(WEAKNESSES[n]?.noticedBy)
    },
  )

  it('is one of at least ten', () => {
    expect(WEAKNESSES.length).toBeGreaterThanOrEqual(10)
  })
})
