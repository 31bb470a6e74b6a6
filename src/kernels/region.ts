/** A span of the kernels' shared memory, in bytes. Plain data: it may be posted to a worker. */
export interface Region {
  readonly offset: number;
  readonly length: number;
}
