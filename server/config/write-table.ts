import { readFile, writeFile } from 'node:fs/promises'
import { configurationTable } from './table.js'

const README = new URL('../../README.md', import.meta.url)
const BLOCK = /(<!-- configuration -->)[\s\S]*?(<!-- \/configuration -->)/

const readme = await readFile(README, 'utf8')
await writeFile(README, readme.replace(BLOCK, `$1\n\n${configurationTable()}\n\n$2`))
