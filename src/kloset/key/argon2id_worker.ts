/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

/**
 * The entry of the thread that runs Argon2id: it takes hundreds of MiB for a moment.
 *
 * @module
 */

import { argon2id } from "hash-wasm";
import { messageOf } from "../../errors/mod.ts";
import type { Argon2idParameters } from "../format/mod.ts";

/** What the thread is asked. */
export interface Argon2idRequest {
  readonly passphrase: Uint8Array;
  readonly salt: Uint8Array;
  readonly kdf: Argon2idParameters;
}

/** What it answers. */
export type Argon2idReply = { readonly key: Uint8Array } | { readonly error: string };

self.onmessage = async ({ data }: MessageEvent<Argon2idRequest>) => {
  const { passphrase, salt, kdf } = data;
  let reply: Argon2idReply;
  try {
    const key = await argon2id({
      password: passphrase,
      salt,
      iterations: kdf.time,
      memorySize: kdf.memory,
      parallelism: kdf.threads,
      hashLength: kdf.keyLength,
      outputType: "binary",
    });
    reply = { key };
  } catch (error) {
    reply = { error: messageOf(error) };
  }
  self.postMessage(reply);
};
