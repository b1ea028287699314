import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'

/** What a browser loads of an entry point, minified and compressed. */
async function bundled(entry: string, external: string[] = []) {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    conditions: ['@netscript/source'],
    external,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    write: false,
    metafile: true,
  })
  return {
    bytes: gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length,
    inputs: Object.keys(metafile.inputs),
  }
}

describe('what a browser loads', () => {
  it('is little for client, and no library', async () => {
    const { bytes, inputs } = await bundled('index.ts')
    expect(bytes).toBeLessThan(8_000)
    expect(inputs.filter((input) => !/^client\/[\w-]+\.ts$/.test(input))).toEqual([])
  })

  it('is the client and little more for session-store, and no library', async () => {
    const { bytes, inputs } = await bundled('session-store/index.ts')
    expect(bytes).toBeLessThan(4_000)
    expect(inputs.filter((input) => !/^client\/[\w/-]+\.ts$/.test(input))).toEqual([])
  })

  it('is the store and little more for react, without React', async () => {
    const { bytes, inputs } = await bundled('react/index.ts', ['react'])
    expect(bytes).toBeLessThan(4_750)
    expect(inputs.filter((input) => !/^client\/[\w/-]+\.ts$/.test(input))).toEqual([])
  })

  it('is zod, ts-rest and the contract for client/validated', async () => {
    const { bytes } = await bundled('validated/index.ts')
    expect(bytes).toBeLessThan(130_000)
  })
})
