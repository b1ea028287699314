import Bowser from 'bowser'

/** A browser and its system in words, such as `Chrome on Linux`, from how it named itself. */
export function deviceName(userAgent: string | undefined): string {
  if (!userAgent) return 'Unknown device'
  const { browser, os } = Bowser.parse(userAgent)
  const words = [browser.name, os.name && `on ${os.name}`].filter(Boolean)
  return words.length > 0 ? words.join(' ') : userAgent.slice(0, MAX)
}

/** Of a name that says nothing else; the whole of it may be kilobytes. */
const MAX = 60
