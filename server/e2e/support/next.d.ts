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
  type NextGuard = import('@netscript/auth-guard/next').NextGuard
  export const authenticator: import('@netscript/auth-guard').Authenticator
  export const auth: NextGuard['auth']
  export const protect: NextGuard['protect']
}
