import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { packPackages } from './packed.js'

/** A registry with the packages of this repository alone, for the scope `@netscript`. */
export interface Registry {
  /** What an `.npmrc` needs to install from it. */
  readonly npmrc: string
  close(): Promise<void>
}

/** Serves the packed packages, so that each package manager resolves them as it does published ones. */
export async function startRegistry(): Promise<Registry> {
  const tarballs = new Map<string, Buffer>()
  const documents = new Map<string, (origin: string) => object>()
  for (const { name, tarball, directory } of await packPackages()) {
    const bytes = await readFile(tarball)
    const digest = (algorithm: string, encoding: 'hex' | 'base64'): string =>
      createHash(algorithm).update(bytes).digest(encoding)
    const path = `/-/${digest('sha256', 'hex')}.tgz`
    tarballs.set(path, bytes)
    const text = await readFile(join(directory, 'package.json'), 'utf8')
    const manifest = JSON.parse(text) as { version: string }
    const [shasum, integrity] = [digest('sha1', 'hex'), `sha512-${digest('sha512', 'base64')}`]
    documents.set(`/${name}`, (origin) => ({
      name,
      'dist-tags': { latest: manifest.version },
      versions: {
        [manifest.version]: {
          ...manifest,
          dist: { tarball: `${origin}${path}`, shasum, integrity },
        },
      },
    }))
  }
  const server = createServer((req, res) => {
    const path = decodeURIComponent(req.url ?? '')
    const document = documents.get(path)
    if (document) res.setHeader('content-type', 'application/json')
    else if (!tarballs.has(path)) res.statusCode = 404
    res.end(document ? JSON.stringify(document(origin)) : tarballs.get(path))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    npmrc: `@netscript:registry=${origin}/\n`,
    close: () => new Promise((closed) => void server.close(() => closed())),
  }
}
