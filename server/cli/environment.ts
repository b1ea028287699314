import { readEnvVariables } from './env-file.js'

/**
 * The variables that do not come from a .env file: these win over it. What has the value of the file
 * counts as its own, since a shell may have read it before us.
 */
export function outsideOf(
  file: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => file[name] !== value))
}

/** The variables that the service would have with another text in its .env file. */
export function environmentWith(
  text: string,
  oldText: string,
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  return { ...readEnvVariables(text), ...outsideOf(readEnvVariables(oldText), env) }
}
