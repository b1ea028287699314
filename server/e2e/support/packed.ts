import { execFile } from 'node:child_process'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inject, vi } from 'vitest'
import { ROOT } from './documents.js'

const WHILE_PACKING = { interval: 200, timeout: 600_000 }
const run = promisify(execFile)

/** A package as `npm publish` would send it. */
export interface PackedPackage {
  readonly name: string
  /** The path of the tarball. */
  readonly tarball: string
  /** Its size in bytes. */
  readonly size: number
  /** A directory with the files of the package. */
  readonly directory: string
  /** The paths of its files, relative to the directory. */
  readonly files: readonly string[]
}

/** All packages of the repository, packed once for all files of a test run; they go when it ends. */
export async function packPackages(): Promise<readonly PackedPackage[]> {
  const place = join(inject('scratch'), 'packed')
  const outcome = `${place}.json`
  if (await mkdir(place, { recursive: true })) {
    const result = await pack(place).catch((error: unknown) => ({ failure: String(error) }))
    await writeFile(`${outcome}.part`, JSON.stringify(result))
    await rename(`${outcome}.part`, outcome)
  }
  const text = await vi.waitFor(() => readFile(outcome, 'utf8'), WHILE_PACKING)
  const result = JSON.parse(text) as readonly PackedPackage[] | { failure: string }
  if ('failure' in result) throw new Error(result.failure)
  return result
}

/** The tarballs of all packages, to install together: none of them is in a registry. */
export async function packedTarballs(): Promise<readonly string[]> {
  return (await packPackages()).map(({ tarball }) => tarball)
}

async function pack(place: string): Promise<readonly PackedPackage[]> {
  await run('npm', ['run', 'build'], { cwd: ROOT })
  const { stdout } = await run(
    'npm',
    ['pack', '--workspaces', '--ignore-scripts', '--json', '--pack-destination', place],
    { cwd: ROOT, maxBuffer: 2 ** 26 },
  )
  const packed = JSON.parse(stdout) as readonly {
    name: string
    filename: string
    files: readonly { path: string }[]
  }[]
  return Promise.all(
    packed.map(async ({ name, filename, files }) => {
      const tarball = join(place, filename)
      const directory = join(place, name)
      await mkdir(directory, { recursive: true })
      await run('tar', ['-xzf', tarball, '-C', directory, '--strip-components', '1'])
      const { size } = await stat(tarball)
      return { name, tarball, size, directory, files: files.map(({ path }) => path) }
    }),
  )
}
