import Bowser from 'bowser'

/** Describes a browser and its system, such as `Chrome on Linux`, from its User-Agent. */
export function deviceName(userAgent: string | undefined): string {
  if (!userAgent) return 'Unknown device'
  const { browser, os } = Bowser.parse(userAgent)
  const words = [browser.name, os.name && `on ${os.name}`].filter(Boolean)
  return words.length > 0 ? words.join(' ') : userAgent.slice(0, MAX)
}

/** Maximum length of an unrecognized User-Agent, which may be kilobytes long. */
const MAX = 60
