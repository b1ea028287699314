/** Preloaded into every process: whatever becomes of the benchmark, nothing that it started stays. */
process.on('disconnect', () => process.exit())
