// Makes the clock of a process wrong by FAULT_CLOCK_SHIFT_MS; loaded with --import.
const shift = Number(process.env.FAULT_CLOCK_SHIFT_MS)
const RealDate = Date

globalThis.Date = class extends RealDate {
  constructor(...values) {
    if (values.length === 0) super(RealDate.now() + shift)
    else super(...values)
  }

  static now() {
    return RealDate.now() + shift
  }
}
