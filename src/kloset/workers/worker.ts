/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

/**
 * The worker's entry: hashes, encodes and decodes regions of the shared memory.
 *
 * @module
 */

import { createHmac } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { Kernels, Lz4Error, type Region } from "../../kernels/mod.ts";
import type {
  DecodeResult,
  DecodeTask,
  EncodeTask,
  HashTask,
  MacParameters,
  Task,
  WorkerReply,
  WorkerRequest,
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

function hash(task: HashTask) {
  return {
    mac: macOf(task.data, task.length, task.mac),
    entropy: task.entropy ? kernels.entropy(task.data, 0, task.length) : 0,
  };
}

function encode(task: EncodeTask) {
  switch (task.compression) {
    case "LZ4":
      return { length: kernels.lz4Encode(task.data, 0, task.length, task.target) };
    case "GZIP": {
      const bytes = gzipSync(kernels.bytes(task.data, 0, task.length).slice());
      kernels.bytes(task.target).set(bytes);
      return { length: bytes.length };
    }
    case undefined:
      kernels.bytes(task.target).set(kernels.bytes(task.data, 0, task.length));
      return { length: task.length };
  }
}

function plainLength(task: DecodeTask): number | { damage: string } {
  const end = task.start + task.length;
  try {
    switch (task.compression) {
      case "LZ4":
        return kernels.lz4Decode(task.data, task.start, end, task.target);
      case "GZIP": {
        const bytes = gunzipSync(kernels.bytes(task.data, task.start, end).slice(), {
          maxOutputLength: Math.max(task.target.length, 1),
        });
        kernels.bytes(task.target).set(bytes);
        return bytes.length;
      }
      case undefined:
        if (task.length > task.target.length) return { damage: "it is longer than recorded" };
        kernels.bytes(task.target).set(kernels.bytes(task.data, task.start, end));
        return task.length;
    }
  } catch (error) {
    // Only what the decoders themselves report is damage; the rest is a fault of ours.
    const isDamage = error instanceof Lz4Error || task.compression === "GZIP";
    if (isDamage && error instanceof Error) return { damage: error.message };
    throw error;
  }
}

function decode(task: DecodeTask): DecodeResult {
  const length = plainLength(task);
  if (typeof length !== "number") return length;
  return { length, mac: macOf(task.target, length, task.mac) };
}

function perform(task: Task): unknown {
  switch (task.operation) {
    case "hash":
      return hash(task);
    case "update":
      kernels.blake3Update(task.state, task.data, 0, task.length);
      return undefined;
    case "encode":
      return encode(task);
    case "decode":
      return decode(task);
  }
}

self.onmessage = (start: MessageEvent<WorkerStart>) => {
  const ready = Kernels.attach(start.data.image, start.data.scratch).then((attached) => {
    kernels = attached;
    state = start.data.state;
  });
  self.onmessage = async ({ data: { id, task } }: MessageEvent<WorkerRequest>) => {
    let reply: WorkerReply;
    try {
      await ready;
      reply = { id, result: perform(task) };
    } catch (error) {
      reply = {
        id,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      };
    }
    self.postMessage(reply);
  };
};
