import { readEnvVariables } from './env-file.js'

/**
 * The variables that do not come from the .env file; they take precedence over it. A variable with the
 * same value as in the file counts as the file's, since a shell may have loaded the file.
 */
export function outsideOf(
  file: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => file[name] !== value))
}

/** The environment that the service would have with a different .env file. */
export function environmentWith(
  text: string,
  oldText: string,
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  return { ...readEnvVariables(text), ...outsideOf(readEnvVariables(oldText), env) }
}
