/**
 * Runs a function of the application within a time limit. What it does after the limit is ignored.
 * @throws what the function throws, or an error that names it and the limit
 */
export async function withinTime<T>(
  name: string,
  ms: number,
  run: () => T | Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_resolve, reject) => {
    const late = (): void => reject(new Error(`${name} did not answer within ${ms} ms.`))
    timer = setTimeout(late, ms)
  })
  try {
    return await Promise.race([(async () => run())(), limit])
  } finally {
    clearTimeout(timer)
  }
}
