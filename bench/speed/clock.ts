/** Milliseconds on a clock that all processes of a machine share (monotonic), to the microsecond. */
export function now_ms(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
