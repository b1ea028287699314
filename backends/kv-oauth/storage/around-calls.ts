/** Wraps a store call, to act before and after it. */
export type Around = <T>(operation: string, run: () => Promise<T>) => Promise<T>

type Call = (...args: unknown[]) => Promise<unknown>

/** Wraps every method of a store with `around`, under the name `<name>.<method>`. */
export function aroundCalls<Store extends object>(
  name: string,
  store: Store,
  around: Around,
): Store {
  const calls = Object.entries<Call>(store as Record<string, Call>).map(([method, call]) => {
    const operation = `${name}.${method}`
    const wrapped: Call = (...args) => around(operation, () => call(...args))
    return [method, wrapped] as const
  })
  return Object.fromEntries(calls) as Store
}
