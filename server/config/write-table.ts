import { readFile, writeFile } from 'node:fs/promises'
import { configurationTable, llmsText } from './generated-documents.js'

const GUIDE = new URL('../CONFIGURATION.md', import.meta.url)
const BLOCK = /(<!-- configuration -->)[\s\S]*?(<!-- \/configuration -->)/

const guide = await readFile(GUIDE, 'utf8')
await writeFile(GUIDE, guide.replace(BLOCK, `$1\n\n${configurationTable()}\n\n$2`))

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
for (const path of ['../../llms.txt', '../llms.txt']) {
  await writeFile(new URL(path, import.meta.url), llmsText(readme))
}
