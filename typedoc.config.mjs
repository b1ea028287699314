import { readFileSync } from 'node:fs'

const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

/** The sources of what can be imported; the package itself is ./backends/kv-oauth once more. */
const entryPoints = Object.entries(exports)
  .filter(([name, target]) => name !== '.' && typeof target !== 'string')
  .map(([, target]) => target.default.replace('./dist/', '').replace(/\.js$/, '.ts'))

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  entryPoints,
  name: 'NetScript Auth',
  out: 'reference',
  readme: 'none',
  excludeExternals: true,
  excludePrivate: true,
  disableSources: true,
  githubPages: false,
  validation: { notExported: false, invalidLink: true },
}
