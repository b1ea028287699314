/**
 * A common table expression that lets its statement commit without waiting for the disk. For what a
 * later commit of the same sign-in follows: the log is written in order, so the flush of that one
 * covers this one too, and a crash of the database before it loses nothing that anybody was told is
 * done. The expression must be joined, or it is not evaluated.
 */
export const LAZILY = `lazily AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))`
