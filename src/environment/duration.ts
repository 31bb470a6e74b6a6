import { ToolError } from "../errors/mod.ts";

/** A text that is no duration. */
export class InvalidDurationError extends ToolError {}

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["ns", 1e-6],
  ["us", 1e-3],
  ["µs", 1e-3], // U+00B5, micro sign
  ["μs", 1e-3], // U+03BC, Greek letter mu
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/**
 * Reads a duration in Go's notation, such as `90s`, `1h30m` or `1.5h`; a bare `0` is allowed.
 *
 * @returns milliseconds
 * @throws {InvalidDurationError} with Go's wording
 */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  const quoted = JSON.stringify(text);
  if (/^[+-]?\d+(\.\d*)?$/.test(text)) {
    throw new InvalidDurationError(`time: missing unit in duration ${quoted}`);
  }
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:[a-zµμ]+))+)$/.exec(text);
  if (match === null) throw new InvalidDurationError(`time: invalid duration ${quoted}`);
  if (match[1] === "-") throw new InvalidDurationError(`time: negative duration ${quoted}`);
  let total = 0;
  for (const [, number = "", unit = ""] of (match[2] ?? "").matchAll(/([\d.]+)([a-zµμ]+)/g)) {
    const factor = UNIT_MS.get(unit);
    if (factor === undefined) {
      throw new InvalidDurationError(
        `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`,
      );
    }
    total += Number(number) * factor;
  }
  return total;
}

/** Writes milliseconds in Go's notation: `1500` is `1.5s`, `1_800_000` is `30m0s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return "0s";
  if (milliseconds < 1_000) return `${milliseconds}ms`;
  const hours = Math.floor(milliseconds / 3_600_000);
  const minutes = Math.floor((milliseconds % 3_600_000) / 60_000);
  const seconds = `${(milliseconds % 60_000) / 1_000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
