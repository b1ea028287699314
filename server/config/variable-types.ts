import { isIP } from 'node:net'
import { z } from 'zod'

export const flag = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .transform((value) => value === 'true')

export const origin = z.string().transform((value, context) => {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url && ['http:', 'https:'].includes(url.protocol) && url.origin === value) return value
  context.addIssue({
    code: 'custom',
    message: `"${value}" is not an origin; write it like https://app.example.com, without a path or a slash at the end`,
  })
  return z.NEVER
})

/** The items of a list; names of groups contain spaces, so they are separated by commas alone. */
export const listOf = (value: string, separator: RegExp = /[\s,]+/): string[] =>
  value
    .split(separator)
    .map((item) => item.trim())
    .filter(Boolean)

export const list = <Item extends z.ZodType<unknown, string>>(item: Item, separator = /[\s,]+/) =>
  z
    .string()
    .transform((value) => listOf(value, separator))
    .pipe(z.array(item))

export const seconds = (min: number) =>
  z.coerce
    .number({ error: 'must be a number of seconds' })
    .int()
    .min(min)
    .max(400 * 86_400)

export const port = z.coerce.number({ error: 'must be a port number' }).int().min(0).max(65_535)

/** RFC 1123. A name that ends in a number would be an invalid IPv4 address. */
const HOST_NAME =
  /^(?=.{1,253}$)([a-z\d]([a-z\d-]*[a-z\d])?\.)*(?!\d+$)[a-z\d]([a-z\d-]*[a-z\d])?$/i

/** Host name or address to listen on. An IPv6 address may have brackets, as in a URL. */
export const host = z.string().transform((value, context) => {
  const bare = /^\[(.*)\]$/.exec(value)?.[1]
  const address = bare ?? value
  if (isIP(address) === 6 || (bare === undefined && isIP(address) === 4)) return address
  if (HOST_NAME.test(value)) return value
  context.addIssue({
    code: 'custom',
    message: `"${value}" is neither an IP address nor a host name; write it like 127.0.0.1, 0.0.0.0, :: or localhost, without a scheme and a port`,
  })
  return z.NEVER
})

export const url = z
  .string()
  .refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), {
    error: 'must be an absolute http or https URL',
  })

const PROXY_RANGES = new Set(['loopback', 'linklocal', 'uniquelocal'])

function isProxy(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  if (PROXY_RANGES.has(text)) return true
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0) return false
  if (prefix === undefined) return true
  return /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (isIP(address) === 4 ? 32 : 128)
}

/** Express's `trust proxy`: hops, or addresses. `true` is not accepted, since it trusts every client. */
export const trustProxy = z.string().transform((value, context): string | number | false => {
  if (value === 'false') return false
  if (/^\d{1,2}$/.test(value)) return Number(value)
  const proxies = value.split(/[\s,]+/).filter(Boolean)
  const wrong = proxies.find((proxy) => !isProxy(proxy))
  if (proxies.length > 0 && wrong === undefined) return proxies.join(',')
  context.addIssue({
    code: 'custom',
    message: `${
      value === 'true'
        ? 'true would trust every client, which could then forge its address'
        : `"${wrong ?? value}" is no proxy`
    }; write the number of proxies in front of the service, such as 1, or their addresses, such as loopback or 10.0.0.0/8`,
  })
  return z.NEVER
})
