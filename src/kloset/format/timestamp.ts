/**
 * Points in time: nanoseconds since 1970-01-01T00:00:00Z as a bigint, exact for every value Go can
 * write.
 *
 * @module
 */

const NS_PER_MS = 1_000_000n;
/** The last millisecond, either way, that a Date can hold. */
const DATE_LIMIT_MS = 8_640_000_000_000_000n;

/** Go's zero time, 0001-01-01T00:00:00Z: what a missing time decodes to. Nanoseconds since 1970. */
export const ZERO_TIME_NS = -62_135_596_800_000_000_000n;

/** The Date of a point in time, cut to milliseconds, kept within what a Date can hold. */
export function dateFromNs(ns: bigint): Date {
  // BigInt division cuts towards zero; times before 1970 must still be cut downwards.
  const cut = ns / NS_PER_MS;
  const ms = cut * NS_PER_MS > ns ? cut - 1n : cut;
  if (ms > DATE_LIMIT_MS) return new Date(Number(DATE_LIMIT_MS));
  if (ms < -DATE_LIMIT_MS) return new Date(Number(-DATE_LIMIT_MS));
  return new Date(Number(ms));
}

/**
 * Nanoseconds since 1970 of a Date.
 *
 * @throws {RangeError} If the date is invalid.
 */
export function nsFromDate(date: Date): bigint {
  return BigInt(date.getTime()) * NS_PER_MS;
}
