import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'

/** The size of an entry point as a browser loads it, minified and compressed. */
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

describe('the bundle size', () => {
  it('of client is small, without libraries', async () => {
    const { bytes, inputs } = await bundled('index.ts')
    expect(bytes).toBeLessThan(8_000)
    expect(inputs.filter((input) => !/^client\/[\w/-]+\.ts$/.test(input))).toEqual([])
  })

  it('of session-store is that of client and little more, without libraries', async () => {
    const { bytes, inputs } = await bundled('session-store/session-store.ts')
    expect(bytes).toBeLessThan(4_500)
    expect(inputs.filter((input) => !/^client\/[\w/-]+\.ts$/.test(input))).toEqual([])
  })

  it('of react is that of session-store and little more, without React', async () => {
    const { bytes, inputs } = await bundled('react/index.ts', ['react'])
    expect(bytes).toBeLessThan(5_600)
    expect(inputs.filter((input) => !/^client\/[\w/-]+\.ts$/.test(input))).toEqual([])
  })

  it('of client/validated includes zod, ts-rest and the contract', async () => {
    const { bytes } = await bundled('validated.ts')
    expect(bytes).toBeLessThan(130_000)
  })
})
