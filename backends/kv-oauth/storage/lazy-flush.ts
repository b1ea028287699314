/**
 * A common table expression that lets its statement commit without waiting for the flush to disk. Only
 * for statements that a later commit of the same sign-in follows: the write-ahead log is flushed in
 * order, so that commit makes this one durable too, and a crash before it loses nothing that was
 * acknowledged. The expression must be joined, or it is not evaluated.
 */
export const LAZILY = lazilyIf('true')

/** Like {@link LAZILY} if an SQL condition holds; otherwise the commit waits for the flush. */
export function lazilyIf(condition: string): string {
  return `lazily AS MATERIALIZED (SELECT set_config('synchronous_commit',
    CASE WHEN ${condition} THEN 'off' ELSE current_setting('synchronous_commit') END, true))`
}
