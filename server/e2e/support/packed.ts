import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { inject, vi } from 'vitest'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const LEFT_OUT = new Set(['.data', '.git', 'dist', 'node_modules'])
const WHILE_PACKING = { interval: 200, timeout: 300_000 }
const run = promisify(execFile)

/** The package as `npm publish` would send it. */
export interface PackedPackage {
  /** The path of the tarball. */
  readonly tarball: string
  /** Its size in bytes. */
  readonly size: number
  /** A directory with the files of the package. */
  readonly directory: string
  /** The paths of its files, relative to the directory. */
  readonly files: readonly string[]
}

/** The package, packed once for all files of a test run; it goes when the run ends. */
export async function packPackage(): Promise<PackedPackage> {
  const place = join(inject('scratch'), 'packed')
  const outcome = `${place}.json`
  if (await mkdir(place, { recursive: true })) {
    const result = await pack(place).catch((error: unknown) => ({ failure: String(error) }))
    await writeFile(`${outcome}.part`, JSON.stringify(result))
    await rename(`${outcome}.part`, outcome)
  }
  const text = await vi.waitFor(() => readFile(outcome, 'utf8'), WHILE_PACKING)
  const result = JSON.parse(text) as PackedPackage | { failure: string }
  if ('failure' in result) throw new Error(result.failure)
  return result
}

/** Builds and packs in a copy of the source tree, so that the dist/ of the tree is left alone. */
async function pack(place: string): Promise<PackedPackage> {
  const source = join(place, 'source')
  await cp(ROOT, source, {
    recursive: true,
    filter: (path) => !LEFT_OUT.has(basename(path)),
  })
  await symlink(join(ROOT, 'node_modules'), join(source, 'node_modules'))
  await run('npm', ['pack', '--silent', '--pack-destination', place], { cwd: source })
  const { name, version } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as {
    name: string
    version: string
  }
  const tarball = join(place, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)
  await run('tar', ['-xzf', tarball, '-C', place])
  const { stdout } = await run('tar', ['-tzf', tarball])
  return {
    tarball,
    size: (await readFile(tarball)).length,
    directory: join(place, 'package'),
    files: stdout
      .split('\n')
      .filter(Boolean)
      .map((path) => path.replace(/^package\//, '')),
  }
}
