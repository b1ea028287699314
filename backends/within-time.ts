/**
 * Waits for work of others, such as a function of the application, for a limited time. What it does
 * after the limit is ignored.
 * @throws what the work throws, or an error that names it and the limit
 */
export async function withinTime<T>(name: string, ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_resolve, reject) => {
    const late = (): void => reject(new Error(`${name} did not answer within ${ms} ms.`))
    timer = setTimeout(late, ms)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}
