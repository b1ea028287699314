import { styleText } from 'node:util'
import { WIDTH, wrap } from '../terminal.js'
import type { Finding } from './finding.js'

const COLORS = { ok: 'green', warn: 'yellow', fail: 'red' } as const

/** Formats the findings as text, at most 80 columns wide. */
export function report(findings: readonly Finding[]): string {
  const indent = 6
  const blocks = findings.map(({ status, code, message, fix }) => {
    const label = styleText(COLORS[status], status.padEnd(indent), { stream: process.stdout })
    const text = fix === undefined ? `${code}: ${message}` : `${code}: ${message}\nFix: ${fix}`
    return label + indented(printable(text), indent)
  })
  const count = (wanted: Finding['status']): number =>
    findings.filter(({ status }) => status === wanted).length
  const summary = `${count('fail')} failed, ${count('warn')} to look at, ${count('ok')} ok`
  return [...blocks, '', summary].join('\n')
}

function indented(text: string, indent: number): string {
  const lines = wrap(text, WIDTH - indent).split('\n')
  return lines.join(`\n${' '.repeat(indent)}`)
}

/** Removes control characters from provider text, so that it cannot control the terminal. */
function printable(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, '?')
}
