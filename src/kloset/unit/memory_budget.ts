import type { Kernels, Region } from "../../kernels/mod.ts";

interface Request {
  readonly holder: object | undefined;
  readonly byteLengths: readonly number[];
  readonly grant: (regions: Region[]) => void;
  readonly refuse: (error: unknown) => void;
}

/** How regions are asked for. */
export interface AcquireOptions {
  /**
   * Who will hold the regions. A holder of none is granted at once, beyond the limit if need be:
   * of readers whose consumers take turns, none waits for what another one holds.
   *
   * @default nobody in particular, who waits
   */
  readonly holder?: object;
}

/**
 * Regions of shared memory under a limit: whoever wants more waits until others have released
 * theirs. This is what keeps memory flat whatever the length of a stream.
 *
 * Requests are granted in the order in which they were made. One that exceeds the whole limit is
 * granted once nothing else is out, so that it delays the stream but never blocks it. Neither holds
 * for those who say who they are, see {@linkcode AcquireOptions.holder}.
 */
export class MemoryBudget {
  readonly #kernels: Kernels;
  readonly #limit: number;
  readonly #waiting: Request[] = [];
  readonly #holders = new Map<Region, object>();
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
  async acquire(byteLength: number, options?: AcquireOptions): Promise<Region> {
    const [region] = await this.acquireAll([byteLength], options);
    return region!;
  }

  /**
   * Waits until several regions can be had at once; holds none of them before.
   *
   * @throws {RangeError} the kernels' memory cannot hold that much; nothing is taken then
   */
  acquireAll(
    byteLengths: readonly number[],
    { holder }: AcquireOptions = {},
  ): Promise<Region[]> {
    return new Promise((grant, refuse) => {
      this.#waiting.push({ byteLengths, holder, grant, refuse });
      this.#grantWaiting();
    });
  }

  /**
   * Keeps the first `byteLength` bytes of a region and gives the others back.
   *
   * @returns the region that stands for the bytes that were kept; the old one is no longer valid
   * @throws {RangeError} the region is not out, or has fewer bytes
   */
  shrink(region: Region, byteLength: number): Region {
    const kept = this.#kernels.shrink(region, byteLength);
    const holder = this.#holders.get(region);
    if (holder !== undefined) {
      this.#holders.delete(region);
      this.#holders.set(kept, holder);
    }
    this.#used -= region.length - byteLength;
    this.#grantWaiting();
    return kept;
  }

  /** Gives a region back. */
  release(region: Region): void {
    this.#kernels.free(region);
    this.#holders.delete(region);
    this.#used -= region.length;
    this.#grantWaiting();
  }

  #grantWaiting(): void {
    for (const request of this.#waiting.filter(({ holder }) => holder !== undefined)) {
      if (!this.#holdsSome(request.holder!)) this.#grant(request);
    }
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const wanted = next.byteLengths.reduce((sum, length) => sum + length, 0);
      if (this.#used > 0 && this.#used + wanted > this.#limit) return;
      this.#grant(next);
    }
  }

  #holdsSome(holder: object): boolean {
    for (const other of this.#holders.values()) if (other === holder) return true;
    return false;
  }

  #grant(request: Request): void {
    this.#waiting.splice(this.#waiting.indexOf(request), 1);
    const regions: Region[] = [];
    try {
      for (const length of request.byteLengths) regions.push(this.#kernels.allocate(length));
    } catch (error) {
      for (const region of regions) this.#kernels.free(region);
      request.refuse(error);
      return;
    }
    for (const region of regions) {
      this.#used += region.length;
      if (request.holder !== undefined) this.#holders.set(region, request.holder);
    }
    request.grant(regions);
  }
}
