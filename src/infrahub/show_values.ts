const UNITS = ["KB", "MB", "GB", "TB", "PB", "EB"] as const;

/** A size for people: `512 B`, `1.5 MB`, in steps of 1024. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes / 1024;
  let unit = 0;
  // 1023.95 would be shown as 1024.0 of its unit.
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1)} ${UNITS[unit]}`;
}

/** The first 8 bytes of a snapshot id: what listings and messages show of it. */
export function shortId(snapshotId: string): string {
  return snapshotId.slice(0, 16);
}
