import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { decodeText } from './text-file.js'

const Section = z.object({ backend: z.string().optional(), Backend: z.string().optional() })
const AppSettings = z.object({ auth: Section.optional(), Auth: Section.optional() })

/**
 * Adds `auth.backend` from `appsettings.json` to the environment, unless a variable sets it. The file
 * must not hold secrets, so nothing else is read from it.
 *
 * @throws AuthConfigurationError when the file is there but cannot be read.
 */
export function withAppSettings(
  env: NodeJS.ProcessEnv,
  file = 'appsettings.json',
): NodeJS.ProcessEnv {
  const settings = readAppSettings(file)
  const backend =
    settings.auth?.backend ??
    settings.Auth?.Backend ??
    settings.auth?.Backend ??
    settings.Auth?.backend
  if (env.NETSCRIPT_AUTH_BACKEND?.trim() || backend === undefined) return env
  return { ...env, NETSCRIPT_AUTH_BACKEND: backend }
}

function readAppSettings(file: string): z.infer<typeof AppSettings> {
  let text: string
  try {
    text = decodeText(readFileSync(file), file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
  try {
    return AppSettings.parse(JSON.parse(text))
  } catch (cause) {
    throw new AuthConfigurationError(
      `${file} is not valid: it must be JSON whose auth.backend is a text. Correct it.`,
      { cause },
    )
  }
}
