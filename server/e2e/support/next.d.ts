/*
 * What the guides use of Next.js, which is too large to be installed here.
 */
declare module 'next/headers' {
  export function headers(): Promise<Headers>
}
declare module 'next/server' {
  export class NextResponse extends Response {
    static next(init?: { request?: { headers?: Headers } }): NextResponse
  }
}
