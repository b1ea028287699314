import type * as OidcLibrary from 'oidc-provider'
import type Provider from 'oidc-provider'
import type { Configuration } from 'oidc-provider'
import { importPeer } from '@netscript/plugin-auth-core/internal'

type Library = typeof OidcLibrary

let loading: Promise<Library> | undefined

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
  const { default: OidcProvider, interactionPolicy } = await loading
  return (issuer, configuration) => {
    const speakAgain = silence()
    try {
      // The library knows no prompt=select_account unless it is added.
      const policy = interactionPolicy.base()
      policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0)
      const interactions = { ...configuration.interactions, policy }
      return new OidcProvider(issuer, { ...configuration, interactions })
    } finally {
      speakAgain()
    }
  }
}

async function importQuietly(): Promise<Library> {
  const speakAgain = silence()
  try {
    return await importPeer(
      ['oidc-provider'],
      'No provider is configured, and the local one',
      () => import('oidc-provider'),
      true,
    )
  } finally {
    speakAgain()
  }
}

/* oxlint-disable no-console -- the library has no option to silence it */
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
