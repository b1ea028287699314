import { asset } from './asset.js'
import { text } from './generated/page-script.js'

/** The script of the page at `/`, built from `page.ts` by `npm run generate`. */
export const pageScript = asset('/assets/page.js', 'js', text)
