import { Kernels } from "../../../../src/kernels/mod.ts";
import type { MacFunction } from "../../../../src/kloset/format/mod.ts";

const kernels = await Kernels.load();

/** BLAKE3 of 32 bytes, keyed when a key is given. */
export function blake3(key?: Uint8Array): MacFunction {
  return (bytes) => kernels.blake3(bytes, key);
}
