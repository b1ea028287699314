import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const TARGET = fileURLToPath(new URL('./generated/page-script.ts', import.meta.url))

/** Makes what browsers load of `page.ts`; writes only when it changed. */
export async function writePageScript(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./page.ts', import.meta.url))],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    write: false,
  })
  const text = `export const text = ${JSON.stringify(outputFiles[0]?.text)}\n`
  if ((await readFile(TARGET, 'utf8').catch(() => '')) === text) return
  await mkdir(dirname(TARGET), { recursive: true })
  await writeFile(TARGET, text)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writePageScript()
