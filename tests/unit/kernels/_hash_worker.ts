/**
 * A worker that attaches to the kernels of the test, and answers each request with a digest.
 *
 * @module
 */
import { type KernelImage, Kernels, type Region } from "../../../src/kernels/mod.ts";

/** First message: what to attach to. */
export interface AttachMessage {
  readonly image: KernelImage;
  readonly scratch: Region;
}

/** Every later message: which bytes to hash, `rounds` times, and where the state goes. */
export interface HashMessage {
  readonly state: Region;
  readonly data: Region;
  readonly rounds: number;
}

/** The answer to the first message: how `allocate` fails, and what the thread's own calls give. */
export interface AttachedAnswer {
  readonly refusal: string;
  readonly roundTrip: Uint8Array;
}

let attached: Promise<Kernels> | undefined;

self.addEventListener("message", async (event: Event) => {
  const { data } = event as MessageEvent<AttachMessage | HashMessage>;
  const post = (message: AttachedAnswer | Uint8Array) =>
    (self as unknown as { postMessage(message: unknown): void }).postMessage(message);
  if ("image" in data) {
    attached = Kernels.attach(data.image, data.scratch);
    const kernels = await attached;
    let refusal = "";
    try {
      kernels.allocate(1);
    } catch (error) {
      refusal = String(error);
    }
    const frame = kernels.compress(new Uint8Array(100_000).fill(7));
    post({ refusal, roundTrip: kernels.decompress(frame, 100_000) });
    return;
  }
  if (attached === undefined) throw new Error("Cannot hash: not attached");
  const kernels = await attached;
  let digest = new Uint8Array();
  for (let round = 0; round < data.rounds; round += 1) {
    kernels.blake3Init(data.state);
    kernels.blake3Update(data.state, data.data, 0, data.data.length);
    digest = new Uint8Array(kernels.blake3Digest(data.state));
  }
  post(digest);
});
