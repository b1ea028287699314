import { register } from 'node:module'

/** Preloaded into a child process: writes the URL of every module it loads to RECORD_MODULES. */
const hook = `
import { appendFileSync } from 'node:fs'
export async function load(url, context, next) {
  appendFileSync(process.env.RECORD_MODULES, url + '\\n')
  return next(url, context)
}`
register(`data:text/javascript,${encodeURIComponent(hook)}`)
