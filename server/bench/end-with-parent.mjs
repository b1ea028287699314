/** Preloaded into every process, so that it exits with the benchmark. */
process.on('disconnect', () => process.exit())
// Otherwise a failed process would wait for its parent, which waits for the process.
process.channel?.unref()
