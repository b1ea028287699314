/** The part of oidc-provider that the local provider uses; the package has no types of its own. */
declare module 'oidc-provider' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

  export interface Context {
    readonly req: IncomingMessage
    readonly res: ServerResponse
    readonly method: string
    readonly path: string
    query: Record<string, string | string[] | undefined>
    status: number
    type: string
    body: unknown
    set(name: string, value: string): void
    redirect(url: string): void
    readonly oidc: {
      readonly session?: { readonly accountId?: string }
      readonly client?: { readonly clientId: string; readonly clientName?: string }
    }
  }

  export type Middleware = (context: Context, next: () => Promise<void>) => Promise<void>

  export interface Configuration extends Record<string, unknown> {
    clients: Record<string, unknown>[]
    features: Record<string, { enabled?: boolean; [option: string]: unknown }>
    jwks: { keys: ({ kid?: string } & Record<string, unknown>)[] }
    ttl: Record<string, number>
    interactions?: Record<string, unknown>
  }

  export interface Interaction {
    readonly uid: string
    readonly prompt: {
      readonly name: string
      readonly details: {
        readonly missingOIDCScope?: readonly string[]
        readonly missingOIDCClaims?: readonly string[]
      }
    }
    readonly params: Record<string, unknown>
    readonly session?: { readonly accountId: string }
    readonly grantId?: string
  }

  export interface Grant {
    addOIDCScope(scope: string): void
    addOIDCClaims(claims: readonly string[]): void
    save(): Promise<string>
  }

  export const interactionPolicy: {
    base(): { add(prompt: object, at: number): void }
    Prompt: new (options: { name: string; requestable: boolean }) => object
  }

  export default class Provider {
    constructor(issuer: string, configuration: Configuration)
    readonly Grant: {
      new (identity: { accountId: string; clientId: string }): Grant
      find(id: string): Promise<Grant | undefined>
    }
    use(middleware: Middleware): this
    callback(): RequestListener
    urlFor(route: string): string
    interactionDetails(req: IncomingMessage, res: ServerResponse): Promise<Interaction>
    interactionResult(
      req: IncomingMessage,
      res: ServerResponse,
      result: Record<string, unknown>,
      options?: { mergeWithLastSubmission?: boolean },
    ): Promise<string>
  }
}
