import { readdirSync, readFileSync } from 'node:fs'

/** USER_HZ is 100 on every Linux that Node runs on. */
const TICK_US = 10_000

const read = (path) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** CPU time of a process and its threads in microseconds; undefined without /proc. */
export function processCpu(pid) {
  let sum
  let threads
  try {
    threads = readdirSync(`/proc/${pid}/task`)
  } catch {
    return undefined
  }
  for (const thread of threads) {
    const nanoseconds = read(`/proc/${pid}/task/${thread}/schedstat`)?.split(' ', 1)[0]
    if (nanoseconds !== undefined) sum = (sum ?? 0) + Number(nanoseconds) / 1000
  }
  return sum
}

/** CPU time of a process and its children, ended ones too, such as a postmaster and its backends. */
export function familyCpu(pid) {
  const children = read(`/proc/${pid}/task/${pid}/children`)
  const stat = read(`/proc/${pid}/stat`)
  if (children === undefined || stat === undefined) return undefined
  const pids = [pid, ...children.split(' ').filter(Boolean)]
  // Fields 16 and 17, cutime and cstime, after the name in brackets, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ended = (Number(fields[13]) + Number(fields[14])) * TICK_US
  return pids.reduce((sum, one) => sum + (processCpu(one) ?? 0), ended)
}

/** Busy time of each core in microseconds. */
export function coreCpu() {
  const lines = read('/proc/stat')?.match(/^cpu\d+ .*$/gm) ?? []
  return lines.map((line) => {
    const [user, nice, system, , , irq, softirq, steal = 0] = line.split(' ').slice(1).map(Number)
    return (user + nice + system + irq + softirq + steal) * TICK_US
  })
}

/** Resident memory in bytes. */
export function residentBytes(pid) {
  const kilobytes = read(`/proc/${pid}/status`)?.match(/^VmRSS:\s+(\d+) kB$/m)?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}
