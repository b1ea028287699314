import { createHash } from 'node:crypto'
import type { RequestHandler } from 'express'

/** A file of the pages. */
export interface Asset {
  /** Where it is served. */
  readonly path: string
  /** What pages ask for: it changes with the text, so that it may be cached for good. */
  readonly href: string
  /** Its media type. */
  readonly type: string
  readonly text: string
}

/** A file of the pages, under a name of its own. */
export function asset(path: string, type: string, text: string): Asset {
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 12)
  return { path, href: `${path}?v=${hash}`, type, text }
}

/** Serves a file to be cached for good. */
export function serveAsset({ type, text }: Asset): RequestHandler {
  return (_req, res) => {
    res.setHeader('Cache-Control', 'public, max-age=31536000, immutable')
    res.type(type).send(text)
  }
}
