/** Preloaded into every process: whatever becomes of the benchmark, nothing that it started stays. */
process.on('disconnect', () => process.exit())
// Without this a process that failed would wait for its parent, which waits for it to answer.
process.channel?.unref()
