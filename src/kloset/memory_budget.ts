import type { Kernels, Region } from "../kernels/mod.ts";

interface Request {
  readonly byteLength: number;
  readonly grant: (region: Region) => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * Regions of shared memory under a limit: whoever wants more waits until others have released
 * theirs. This is what keeps memory flat whatever the length of a stream.
 *
 * Requests are granted in the order in which they were made. One that exceeds the whole limit is
 * granted once nothing else is out, so that it delays the stream but never blocks it.
 */
export class MemoryBudget {
  readonly #kernels: Kernels;
  readonly #limit: number;
  readonly #waiting: Request[] = [];
  #used = 0;

  /**
   * @param limit bytes that may be out at the same time
   */
  constructor(kernels: Kernels, limit: number) {
    this.#kernels = kernels;
    this.#limit = limit;
  }

  /**
   * Waits for a region of `byteLength` bytes; its content is undefined.
   *
   * @throws {RangeError} the kernels' memory cannot hold that much
   */
  acquire(byteLength: number): Promise<Region> {
    return new Promise((grant, refuse) => {
      this.#waiting.push({ byteLength, grant, refuse });
      this.#grantNext();
    });
  }

  /**
   * Waits for several regions at once, so that of two who want several neither waits for the other.
   *
   * @throws {RangeError} the kernels' memory cannot hold that much; nothing is taken then
   */
  async acquireAll(byteLengths: readonly number[]): Promise<Region[]> {
    const results = await Promise.allSettled(byteLengths.map((length) => this.acquire(length)));
    const refused = results.find((result) => result.status === "rejected");
    const regions = results.flatMap((result) => result.status === "fulfilled" ? result.value : []);
    if (refused === undefined) return regions;
    for (const region of regions) this.release(region);
    throw refused.reason;
  }

  /** Gives a region back. */
  release(region: Region): void {
    this.#kernels.free(region);
    this.#used -= region.length;
    this.#grantNext();
  }

  #grantNext(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#used > 0 && this.#used + next.byteLength > this.#limit) return;
      this.#waiting.shift();
      try {
        const region = this.#kernels.allocate(next.byteLength);
        this.#used += region.length;
        next.grant(region);
      } catch (error) {
        next.refuse(error);
      }
    }
  }
}
