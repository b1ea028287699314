const WIDTH = 760
const BAR = 18
const STEP = 30
const LEFT = 250
const RIGHT = 120
const TOP = 62

/**
 * Bars of reads per second as multiples of Express 5 with one SQL query; the whiskers show the slowest
 * and fastest round. The colours work on light and dark pages.
 */
export function renderChart({ reads, settings, machine }) {
  const rows = reads.filter(({ id }) => id !== 'f0').sort((a, b) => b.toF2.median - a.toF2.median)
  const greatest = Math.max(...rows.map(({ toF2 }) => toF2.max))
  const scale = (WIDTH - LEFT - RIGHT) / greatest
  const height = TOP + rows.length * STEP + 34
  const one = LEFT + scale
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title" font-family="system-ui, sans-serif" font-size="13">
  <title id="title">Sessions read per second, as multiples of a hand-written Express 5 handler</title>
  <style>
    text { fill: #6e7781 }
    .ours { font-weight: 600 }
    .title { font-size: 15px; font-weight: 600 }
    .small { font-size: 11px }
    line { stroke: #8c959f }
    @media (prefers-color-scheme: dark) { text { fill: #9198a1 } }
  </style>
  <text class="title" x="0" y="18">Who is this? Sessions read per second on one core</text>
  <text class="small" x="0" y="37">Multiples of Express 5 with one SQL query; ${settings.reads.connections} connections, ${settings.sessions.toLocaleString('en-US')} sessions, every answer checked</text>
  <line x1="${px(one)}" y1="${TOP - 8}" x2="${px(one)}" y2="${height - 28}" stroke-dasharray="3 3"/>
${rows.map((row, n) => bar(row, TOP + n * STEP, scale)).join('\n')}
  <text class="small" x="0" y="${height - 8}">${escapeXml(`${machine.cpu}, Node ${machine.node}, ${machine.date.slice(0, 10)}. Whiskers: least and greatest of ${settings.reads.rounds} rounds.`)}</text>
</svg>
`
}

function bar({ short, ours, toF2 }, y, scale) {
  const middle = y + BAR / 2
  const end = LEFT + toF2.median * scale
  const [least, greatest] = [LEFT + toF2.min * scale, LEFT + toF2.max * scale]
  const style = ours ? ' class="ours"' : ''
  return `  <text${style} x="${LEFT - 10}" y="${middle + 4}" text-anchor="end">${escapeXml(short)}</text>
  <rect x="${LEFT}" y="${y}" width="${px(Math.max(1, toF2.median * scale))}" height="${BAR}" rx="2" fill="${ours ? '#2f81f7' : '#8c959f'}" fill-opacity="${ours ? 1 : 0.6}"/>
  <line x1="${px(least)}" y1="${middle}" x2="${px(greatest)}" y2="${middle}"/>
  <text${style} x="${px(Math.max(end, greatest) + 8)}" y="${middle + 4}">${toF2.median.toFixed(2)}</text>`
}

const px = (value) => value.toFixed(1)
const escapeXml = (text) =>
  text.replace(
    /[&<>"]/g,
    (mark) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[mark],
  )
