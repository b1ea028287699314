import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { SWAGGER_UI_FILES } from '../api-docs.js'

const TARGET = fileURLToPath(new URL('./generated/page-script.ts', import.meta.url))

/** Bundles `page.ts` for browsers; writes the file only when it changed. */
export async function writePageScript(): Promise<void> {
  const { outputFiles } = await build({
    conditions: ['@netscript/source'],
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

/** Copies the Swagger UI files that /docs serves, so that users need not install that package. */
export async function copySwaggerUi(): Promise<void> {
  const from = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  const to = fileURLToPath(new URL('./generated/swagger-ui/', import.meta.url))
  await mkdir(to, { recursive: true })
  for (const file of [
    ...SWAGGER_UI_FILES,
    'LICENSE',
    'NOTICE',
    'swagger-ui-bundle.js.LICENSE.txt',
  ]) {
    await copyFile(join(from, file), join(to, file))
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writePageScript()
  await copySwaggerUi()
}
