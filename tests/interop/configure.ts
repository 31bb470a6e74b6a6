/**
 * Changes to a fresh repository's CONFIG that plakar's command line does not offer.
 *
 * @module
 */

import { Kernels } from "../../src/kernels/mod.ts";

/** What to change; the rest stays as it is. */
export interface ConfigurationChanges {
  /** Least, normal and greatest chunk size in bytes. */
  readonly chunking?: readonly [number, number, number];
  /** Bytes after which a packfile is closed. */
  readonly maxPackfile?: number;
  /** In place of LZ4. */
  readonly compression?: "GZIP";
  /** Version word of the envelope. */
  readonly version?: number;
}

/**
 * Changes CONFIG of a plaintext repository in place, by its bytes: plakar and we then write by it.
 *
 * Not by our own codec of CONFIG, so that a fault in it cannot hide.
 */
export async function configureRepository(
  repository: string,
  changes: ConfigurationChanges,
): Promise<void> {
  const kernels = await Kernels.load();
  let config = await Deno.readFile(`${repository}/CONFIG`);
  const find = (text: string, from = 0) => {
    const at = new TextDecoder("latin1").decode(config).indexOf(text, from);
    if (at < 0) throw new Error(`CONFIG holds no ${text}`);
    return at;
  };
  const put = (section: string, key: string, value: number, bytes: 4 | 8) => {
    const at = find(key, find(section)) + key.length;
    if (config[at] !== (bytes === 4 ? 0xce : 0xcf)) {
      throw new Error(`CONFIG: ${key} is not of ${bytes} bytes`);
    }
    const view = new DataView(config.buffer, config.byteOffset + at + 1);
    if (bytes === 4) view.setUint32(0, value);
    else view.setBigUint64(0, BigInt(value));
  };
  if (changes.chunking !== undefined) {
    const [smallest, normal, largest] = changes.chunking;
    put("Chunking", "MinSize", smallest, 4);
    put("Chunking", "NormalSize", normal, 4);
    put("Chunking", "MaxSize", largest, 4);
  }
  if (changes.maxPackfile !== undefined) put("Packfile", "MaxSize", changes.maxPackfile, 8);
  if (changes.compression !== undefined) {
    const name = new TextEncoder().encode(changes.compression);
    const at = find("\xa3LZ4");
    const rest = config.subarray(at + 4);
    config = Uint8Array.from([...config.subarray(0, at), 0xa0 + name.length, ...name, ...rest]);
  }
  if (changes.version !== undefined) {
    new DataView(config.buffer, config.byteOffset).setUint32(12, changes.version, true);
  }
  // The footer of a plaintext repository's CONFIG is BLAKE3 without a key.
  const covered = config.subarray(0, config.length - 32);
  config.set(kernels.blake3(covered), covered.length);
  await Deno.writeFile(`${repository}/CONFIG`, config);
}
