import type { Component } from "./component.ts";
import { formatSize } from "./show_values.ts";

/** Something that is much smaller than it was in the last good backup. */
export interface Shrinkage {
  /** A component, or `archive`. */
  readonly what: Component | "archive";
  readonly bytes: number;
  readonly earlierBytes: number;
  /** Id of the backup that it is compared with. */
  readonly earlierBackupId: string;
}

/** Whether `bytes` is smaller than `earlierBytes` by more than `percent`. */
export function isShrunken(bytes: number, earlierBytes: number, percent: number): boolean {
  return percent > 0 && bytes * 100 < earlierBytes * (100 - percent);
}

/** The warning. */
export function describeShrinkage(
  { what, bytes, earlierBytes, earlierBackupId }: Shrinkage,
): string {
  const percent = Math.round((1 - bytes / earlierBytes) * 100);
  return `The ${what}${what === "archive" ? "" : " dump"} is ${percent} % smaller than in backup ` +
    `${earlierBackupId} (${formatSize(bytes)} instead of ${formatSize(earlierBytes)}): ` +
    "make sure that no data has been lost";
}
