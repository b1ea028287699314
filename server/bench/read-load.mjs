import { readFileSync } from 'node:fs'
import { openConnection, requestBytes } from './connection.mjs'
import { measureWindow } from './measured-window.mjs'

const MAX_ERRORS = 200

/** Requests by file, each with the text that its answer must contain. */
const prepared = new Map()

function prepare({ requestsFile, path, port }) {
  const key = `${requestsFile} ${path} ${port}`
  let requests = prepared.get(key)
  if (!requests) {
    const host = `localhost:${port}`
    requests = JSON.parse(readFileSync(requestsFile, 'utf8')).map(
      ({ cookie, headers, expect }) => ({
        bytes: requestBytes({ path, host, headers: headers ?? (cookie ? { Cookie: cookie } : {}) }),
        expect: Buffer.from(expect),
      }),
    )
    prepared.set(key, requests)
  }
  return requests
}

/**
 * Keeps `connections` connections busy with random cookies. An answer counts only when it is a 200 that
 * names the user of its cookie; everything else is counted as wrong.
 */
export async function measureReads({ port, path, requestsFile, connections, ...window }) {
  const requests = prepare({ requestsFile, path, port })
  let latencies = new Float64Array(1 << 16)
  let counted = 0
  let answered = 0
  let wrong = 0
  let errors = 0
  let counting = false
  let stopped = false
  let firstWrong

  const drive = (connection) => {
    const request = requests[(Math.random() * requests.length) | 0]
    const began = performance.now()
    connection.send(request.bytes, (error, response) => {
      if (stopped) return
      if (error) {
        errors += 1
        if (errors < MAX_ERRORS) setTimeout(drive, 5, connection)
        return
      }
      answered += 1
      if (response.status === 200 && response.bytes.includes(request.expect, response.bodyStart)) {
        if (counting) {
          if (counted === latencies.length) latencies = doubled(latencies)
          latencies[counted++] = performance.now() - began
        }
      } else {
        wrong += 1
        firstWrong ??= `${response.status} ${response.bytes.toString('utf8', response.bodyStart, response.bodyStart + 200)}`
      }
      drive(connection)
    })
  }

  const open = Array.from({ length: connections }, () => openConnection(port))
  for (const connection of open) drive(connection)
  const measured = await measureWindow(window, {
    begin: () => {
      counting = true
    },
    end: () => {
      counting = false
      return counted
    },
  })
  stopped = true
  for (const connection of open) connection.close()
  const sorted = latencies.subarray(0, counted).sort()
  const percentile = (share) => sorted[Math.min(counted - 1, Math.floor(counted * share))]
  return {
    ...measured,
    answered,
    wrong,
    errors,
    firstWrong,
    p50: percentile(0.5),
    p99: percentile(0.99),
  }
}

function doubled(array) {
  const larger = new Float64Array(array.length * 2)
  larger.set(array)
  return larger
}
