import type { SessionRecord } from './session-store.js'

/** Limits a stored entry to 8 KiB, with 128 bytes for what Keyv adds. */
const MAX_ENTRY_BYTES = 8 * 1024 - 128

/** The remaining bytes of an entry. */
export function roomIn(record: SessionRecord): number {
  return MAX_ENTRY_BYTES - Buffer.byteLength(JSON.stringify(record))
}

/**
 * Selects the items that fit; an item that is too long is skipped.
 *
 * @param copies How often the entry has an item. @default once
 */
export function withinRoom(
  items: readonly string[],
  maxBytes: number,
  copies: (item: string) => number = () => 1,
): { kept: readonly string[]; dropped: readonly string[] } {
  const [kept, dropped]: [string[], string[]] = [[], []]
  let room = maxBytes
  for (const item of items) {
    const bytes = (Buffer.byteLength(JSON.stringify(item)) + 1) * copies(item)
    if (bytes > room) {
      dropped.push(item)
    } else {
      kept.push(item)
      room -= bytes
    }
  }
  return { kept, dropped }
}
