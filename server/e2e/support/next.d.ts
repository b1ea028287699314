/*
 * What the guides use of Next.js, which is too large to be installed here, and `auth.ts` of its guide.
 */
declare module 'next/headers' {
  export function headers(): Promise<Headers>
}
declare module 'next/server' {
  export class NextResponse extends Response {
    static next(init?: { request?: { headers?: Headers } }): NextResponse
  }
}
declare module 'next/navigation' {
  export function redirect(url: string): never
}
declare module '@/auth' {
  import type { Authenticator } from '@netscript/auth-guard'
  import type { NextGuard } from '@netscript/auth-guard/next'
  export const authenticator: Authenticator
  export const auth: NextGuard['auth']
  export const protect: NextGuard['protect']
}
