import { readFileSync } from 'node:fs'
import type pg from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { VARIABLES } from '../config/variables.js'
import { createServiceMetrics } from '../metrics/service-metrics.js'

interface Panel {
  id: number
  title: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: { expr: string }[]
}

const { panels, templating } = JSON.parse(
  readFileSync(new URL('grafana-dashboard.json', import.meta.url), 'utf8'),
) as { panels: Panel[]; templating: { list: { query: unknown }[] } }

const alerts = readFileSync(new URL('alerts.yaml', import.meta.url), 'utf8')
const { groups } = parse(alerts) as { groups: { rules: { expr: string }[] }[] }

const queries = [
  ...groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
  ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...templating.list.map(({ query }) => JSON.stringify(query)),
]

/** All series of /metrics after every event has occurred once, with their labels. */
const series = new Map<string, Set<string>>()
/** The metric of each series. */
const metricOf = new Map<string, string>()
/** Every metric of the service. */
const names: string[] = []
const types = new Map<string, string>()
const ours = (): string[] => names.filter((name) => name.startsWith('netscript_'))
/** The labels of a metric, without the one of histograms. */
const labelsOf = (name: string): string[] =>
  [...series].flatMap(([one, labels]) =>
    metricOf.get(one) === name && !/_(sum|count)$/.test(one)
      ? [...labels].filter((label) => label !== 'le')
      : [],
  )
const words = (text: string): string[] =>
  [...text.matchAll(/`(\w+)`/g)].map(([, word = '']) => word)

beforeAll(async () => {
  const metrics = createServiceMetrics()
  metrics.watchPool({ totalCount: 1, idleCount: 1, waitingCount: 0 } as pg.Pool)
  metrics.watchSessions({ countSessions: async () => 1 })
  metrics.answered({ method: 'GET', route: 'me', status: 200, seconds: 0.001 })
  metrics.signIn('google', 'AUTH_ACCESS_DENIED')
  metrics.providerRefused('google', 'access_denied')
  metrics.sessionRefreshed('used')
  metrics.sessionsEnded('signed-out', 1)
  metrics.storeCall('session.create', 0.001)
  metrics.readBatch(1, 0.001)
  const { text } = await metrics.page()
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\w+) (\w+)/gm)) {
    names.push(name)
    types.set(name, type)
  }
  for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? /gm)) {
    if (name === '') continue
    series.set(name, new Set([...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label)))
    metricOf.set(name, names.find((metric) => name.startsWith(metric)) ?? name)
  }
})

/** The series in a query, by the prefixes of the service, Node and the process. */
const namesIn = (query: string): string[] =>
  [...query.matchAll(/\b(?:netscript_auth|nodejs|process)_\w+/g)].map(([name]) => name)

describe('the dashboard and the alerts', () => {
  it('name variables that the service reads', () => {
    const named = alerts.match(/NETSCRIPT_\w+/g) ?? []
    expect(named.filter((name) => !(name in VARIABLES))).toEqual([])
  })

  it('query only series that exist', () => {
    expect(queries.flatMap(namesIn).filter((name) => !series.has(name))).toEqual([])
  })

  it('show every metric of the service', () => {
    const shown = new Set(queries.flatMap(namesIn).map((name) => metricOf.get(name)))
    expect(ours()).toHaveLength(14)
    expect(ours().filter((name) => !shown.has(name))).toEqual([])
  })

  it('are in the guide, with the type and the labels of every metric', async () => {
    const guide = readFileSync(new URL('MONITORING.md', import.meta.url), 'utf8')
    const rows = [...guide.matchAll(/^\| `(netscript_\w+)` +\| (\w+) +\| ([^|]*)\|/gm)]
    expect(
      rows.map(([, name = '', type = '', labels = '']) => [name, type, ...words(labels)]),
    ).toEqual(
      expect.arrayContaining(ours().map((name) => [name, types.get(name), ...labelsOf(name)])),
    )
    expect(rows).toHaveLength(ours().length)
    const named = [...guide.matchAll(/^\| `(Auth\w+)` /gm)].map(([, name]) => name)
    expect(named).toEqual([...alerts.matchAll(/alert: (\w+)/g)].map(([, name]) => name))
  })

  it('group and filter by labels that the series have', () => {
    for (const query of queries) {
      const grouped = [...query.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) =>
        list.split(', '),
      )
      const filtered = [...query.matchAll(/(\w+)!?=~?"/g)].flatMap(([, label = '']) =>
        label === 'job' ? [] : [label],
      )
      for (const name of namesIn(query)) {
        for (const label of [...grouped, ...filtered])
          expect(series.get(name), query).toContain(label)
      }
    }
  })

  it('has panels that do not overlap, each with an id of its own', () => {
    const taken = new Set<string>()
    for (const { gridPos, title } of panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken, title).not.toContain(`${x},${y}`)
          taken.add(`${x},${y}`)
        }
      }
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  })
})
