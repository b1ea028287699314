import { createHash } from 'node:crypto'
import type { RequestHandler } from 'express'
import { text } from './generated/page-script.js'

/** A static file used by the pages. */
export interface Asset {
  /** Path at which it is served. */
  readonly path: string
  /** URL used by pages. It contains a hash of the content, so the file can be cached forever. */
  readonly href: string
  /** Its media type. */
  readonly type: string
  readonly text: string
}

/** Creates an asset from its content. */
export function asset(path: string, type: string, text: string): Asset {
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 12)
  return { path, href: `${path}?v=${hash}`, type, text }
}

/** Serves an asset with an immutable cache policy. */
export function serveAsset({ type, text }: Asset): RequestHandler {
  return (_req, res) => {
    res.setHeader('Cache-Control', 'public, max-age=31536000, immutable')
    res.type(type).send(text)
  }
}

/** The script of the page at `/`, built from `page.ts` by `npm run generate`. */
export const pageScript = asset('/assets/page.js', 'js', text)
