import type { DescribeResponse } from '@netscript/auth-contract'
import { ok, type Reply } from '../reply.js'
import type { HandlerContext } from './context.js'

/** GET /describe: the metadata of the active backend. */
export function describe({ backend, tokens }: HandlerContext): Reply<200, DescribeResponse> {
  return ok({
    backend: backend.name,
    capabilities: {
      ...backend.capabilities,
      interactive: backend.interactive !== undefined,
      backChannelLogout: backend.backChannelLogout !== undefined,
    },
    tokens: tokens !== undefined,
    providers: [...backend.providers.listProviders()],
    ...(backend.signInHint !== undefined && { signInHint: backend.signInHint }),
  })
}
