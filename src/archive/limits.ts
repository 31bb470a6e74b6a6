/** Limits on what an archive may hold. */
export interface ArchiveLimits {
  /**
   * Most files and directories.
   *
   * @default {100_000}
   */
  readonly maxEntries?: number | undefined;
  /**
   * Most bytes of the unpacked archive, headers included. Unpacking takes no memory and, when it is
   * only verified, no disk; this bounds the time, and what is extracted.
   *
   * @default {Infinity}
   */
  readonly maxBytes?: number | undefined;
}
