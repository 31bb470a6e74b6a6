import { CDC_STATE_BYTES, type Kernels } from "./kernels.ts";
import type { Region } from "./region.ts";

/** How a stream is cut into chunks; sizes in bytes. */
export interface FastCdcParameters {
  /** `fastcdc-v1.0.0` derives its masks from the sizes, `fastcdc` has fixed ones. */
  algorithm: "fastcdc-v1.0.0" | "fastcdc";
  /** No chunk but the last is shorter. At least 64. */
  minSize: number;
  /** Where cuts become likely. A power of two over `minSize`. */
  normalSize: number;
  /** No chunk is longer. Over `normalSize`, at most 1 GiB. */
  maxSize: number;
}

interface Masks {
  readonly small: bigint;
  readonly large: bigint;
}

const FIXED_MASKS: Masks = { small: 0x0003590703530000n, large: 0x0000d90003530000n };

const SMALLEST_BYTES = 64;
const LARGEST_BYTES = 1024 ** 3;

// A word with `ones` bits set, spread evenly from the top.
function spreadMask(ones: number): bigint {
  const step = Math.floor(64 / ones);
  let mask = 0n;
  for (let index = 0; index < ones; index += 1) mask |= 1n << BigInt(63 - index * step);
  return mask;
}

function masksOf({ algorithm, minSize, normalSize, maxSize }: FastCdcParameters): Masks {
  // The newer algorithm keeps the fixed masks for the sizes they were made for.
  const fixed = minSize === 2048 && normalSize === 8192 && maxSize === 65536;
  if (algorithm === "fastcdc" || fixed) return FIXED_MASKS;
  const bits = Math.log2(normalSize);
  return { small: spreadMask(bits + 2), large: spreadMask(bits - 2) };
}

function check({ algorithm, minSize, normalSize, maxSize }: FastCdcParameters): void {
  const sizes = `${minSize} / ${normalSize} / ${maxSize}`;
  if (algorithm !== "fastcdc-v1.0.0" && algorithm !== "fastcdc") {
    throw new RangeError(`Cannot chunk with algorithm "${algorithm}"`);
  }
  const sound = [minSize, normalSize, maxSize].every(Number.isSafeInteger) &&
    minSize >= SMALLEST_BYTES && minSize < normalSize && normalSize < maxSize &&
    maxSize <= LARGEST_BYTES;
  if (!sound) {
    throw new RangeError(
      `Cannot chunk with sizes ${sizes}: must rise, from at least 64 bytes to at most 1 GiB`,
    );
  }
  if (!Number.isInteger(Math.log2(normalSize))) {
    throw new RangeError(
      `Cannot chunk with sizes ${sizes}: the normal size must be a power of two`,
    );
  }
}

/**
 * Finds where chunks end (FastCDC), while the bytes of a chunk arrive. No byte is looked at twice.
 *
 * @example A chunk that arrives in two pieces
 * ```ts
 * import { CutScanner, Kernels } from "./mod.ts";
 *
 * const kernels = await Kernels.load();
 * const region = kernels.allocate(65536);
 * const scanner = new CutScanner(kernels, {
 *   algorithm: "fastcdc-v1.0.0",
 *   minSize: 2048,
 *   normalSize: 8192,
 *   maxSize: 65536,
 * });
 * scanner.scan(region, 1000); // undefined: shorter than any chunk
 * scanner.scan(region, 65536); // the chunk's length
 * scanner.dispose();
 * ```
 */
export class CutScanner {
  readonly #kernels: Kernels;
  readonly #state: Region;

  /**
   * Allocates the scanner's state, so it is for the thread that owns the kernels.
   *
   * @throws {RangeError} When the parameters do not make sense.
   */
  constructor(kernels: Kernels, parameters: FastCdcParameters) {
    check(parameters);
    this.#kernels = kernels;
    this.#state = kernels.allocate(CDC_STATE_BYTES);
    const bytes = kernels.bytes(this.#state);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const masks = masksOf(parameters);
    view.setBigUint64(8, masks.small, true);
    view.setBigUint64(16, masks.large, true);
    view.setUint32(28, parameters.minSize, true);
    view.setUint32(32, parameters.normalSize, true);
    view.setUint32(36, parameters.maxSize, true);
    this.reset();
  }

  /**
   * Looks at the bytes that came since the last call.
   *
   * @param region The chunk so far is at its start.
   * @param filled How many bytes are there by now; those of the last call are unchanged.
   * @returns The chunk's length, `maxSize` at the latest, or `undefined` when more bytes are needed.
   * At the stream's end the bytes left are the last chunk.
   */
  scan(region: Region, filled: number): number | undefined {
    return this.#kernels.cdcScan(this.#state, region, filled) || undefined;
  }

  /** Makes ready for the first byte of the next chunk. */
  reset(): void {
    this.#kernels.cdcReset(this.#state);
  }

  /** Frees the state; the scanner is of no more use. */
  dispose(): void {
    this.#kernels.free(this.#state);
  }
}
