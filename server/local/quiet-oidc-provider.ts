import type Provider from 'oidc-provider'
import type { Configuration } from 'oidc-provider'
import { importPeer } from '@netscript/plugin-auth-core/internal'

let loading: Promise<typeof Provider> | undefined

/**
 * Loads oidc-provider without its warnings about development settings and the Node version, which are
 * intended here.
 *
 * @throws AuthConfigurationError when the library is not installed.
 */
export async function loadOidcProvider(): Promise<
  (issuer: string, configuration: Configuration) => Provider
> {
  loading ??= importQuietly()
  const OidcProvider = await loading
  return (issuer, configuration) => {
    const speakAgain = silence()
    try {
      return new OidcProvider(issuer, configuration)
    } finally {
      speakAgain()
    }
  }
}

async function importQuietly(): Promise<typeof Provider> {
  const speakAgain = silence()
  try {
    const { default: provider } = await importPeer(
      ['oidc-provider'],
      'No provider is configured, and the local one',
      () => import('oidc-provider'),
      true,
    )
    return provider
  } finally {
    speakAgain()
  }
}

/* eslint-disable no-console -- the library has no option to silence it */
function silence(): () => void {
  const { info, warn } = console
  const unlessNotice =
    (write: typeof console.warn): typeof console.warn =>
    (...data: unknown[]) => {
      if (!/oidc-provider (NOTICE|WARNING): /.test(String(data[0]))) write(...data)
    }
  console.info = unlessNotice(info)
  console.warn = unlessNotice(warn)
  return () => {
    console.info = info
    console.warn = warn
  }
}
