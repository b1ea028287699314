/**
 * A common table expression that lets its statement commit without waiting for the disk. For what a
 * later commit of the same sign-in follows: the log is written in order, so the flush of that one
 * covers this one too, and a crash of the database before it loses nothing that anybody was told is
 * done. The expression must be joined, or it is not evaluated.
 */
export const LAZILY = lazilyIf('true')

/** The same where an SQL condition holds; elsewhere the commit waits for the disk. */
export function lazilyIf(condition: string): string {
  return `lazily AS MATERIALIZED (SELECT set_config('synchronous_commit',
    CASE WHEN ${condition} THEN 'off' ELSE current_setting('synchronous_commit') END, true))`
}
