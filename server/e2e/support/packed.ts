import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const LEFT_OUT = new Set(['.data', '.git', 'dist', 'node_modules'])
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
  remove(): Promise<void>
}

/** Builds and packs in a copy of the source tree, so that tests at the same time share no dist/. */
export async function packPackage(): Promise<PackedPackage> {
  const place = await mkdtemp(join(tmpdir(), 'netscript-auth-pack-'))
  const remove = () => rm(place, { recursive: true, force: true })
  try {
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
      remove,
    }
  } catch (error) {
    await remove()
    throw error
  }
}
