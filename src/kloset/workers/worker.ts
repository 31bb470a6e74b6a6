/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

/**
 * The worker's entry: hashes, encodes and decodes regions of the shared memory.
 *
 * @module
 */

import { createHmac } from "node:crypto";
import { Kernels, type Region } from "../../kernels/mod.ts";
import type { Answer } from "./_slot.ts";
import { DamagedUnitError, decodeRegion, encodeRegion } from "./encode_region.ts";
import { Mailbox } from "./mailbox.ts";
import type {
  DecodeResult,
  DecodeTask,
  HashedPart,
  HashResult,
  HashTask,
  MacParameters,
  Task,
  TaskResult,
  WorkerStart,
} from "./tasks.ts";

let kernels: Kernels;
let state: Region;

function macOf(data: Region, length: number, mac: MacParameters): Uint8Array {
  if (mac.algorithm === "SHA256") {
    return new Uint8Array(
      createHmac("sha256", mac.key).update(kernels.bytes(data, 0, length)).digest(),
    );
  }
  kernels.blake3Init(state, mac.key);
  kernels.blake3Update(state, data, 0, length);
  return kernels.blake3Digest(state);
}

function partOf(data: Region, length: number, mac: MacParameters, position: number): HashedPart {
  if (mac.algorithm === "SHA256") return undefined;
  return kernels.blake3Part(state, mac.key, position, data, 0, length);
}

function hash({ data, length, mac, entropy, position }: HashTask): HashResult {
  return {
    mac: macOf(data, length, mac),
    entropy: entropy ? kernels.entropy(data, 0, length) : 0,
    part: partOf(data, length, mac, position),
  };
}

function decode(task: DecodeTask): DecodeResult {
  const { data, start, target, encoding } = task;
  try {
    const length = decodeRegion(kernels, encoding, data, start, start + task.length, target);
    return {
      length,
      mac: macOf(target, length, task.mac),
      part: partOf(target, length, task.mac, task.position),
    };
  } catch (error) {
    if (error instanceof DamagedUnitError) return { damage: error.message };
    throw error;
  }
}

function perform(task: Task): TaskResult<Task> {
  switch (task.operation) {
    case "hash":
      return hash(task);
    case "part":
      return partOf(task.data, task.length, task.mac, task.position);
    case "encode":
      return {
        length: encodeRegion(kernels, task.encoding, task.data, task.length, task.target),
      };
    case "decode":
      return decode(task);
  }
}

function answer(task: Task): Answer {
  try {
    return { result: perform(task) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

self.onmessage = async ({ data: start }: MessageEvent<WorkerStart>) => {
  kernels = await Kernels.attach(start.image, start.scratch);
  state = start.state;
  new Mailbox(start.mailbox).serve(answer, () => self.postMessage(undefined));
};
