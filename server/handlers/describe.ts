import type { DescribeResponse } from '@netscript/auth-contract'
import { ok, type Reply } from '../reply.js'
import type { HandlerContext } from './context.js'

/** GET /describe: what the active backend says of itself. */
export function describe({ backend, tokens }: HandlerContext): Reply<200, DescribeResponse> {
  return ok({
    backend: backend.name,
    capabilities: backend.capabilities,
    tokens: tokens !== undefined,
    providers: [...backend.providers.listProviders()],
    ...(backend.signInHint !== undefined && { signInHint: backend.signInHint }),
  })
}
