const two = (value: number) => String(value).padStart(2, "0");

/** RFC 3339 in the local zone, to the second, such as `2026-03-18T14:30:02+01:00`. */
export function formatLocalTime(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const absolute = Math.abs(offset);
  const zone = offset === 0
    ? "Z"
    : `${offset < 0 ? "-" : "+"}${two(Math.floor(absolute / 60))}:${two(absolute % 60)}`;
  const day = `${year(date)}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${
    two(date.getSeconds())
  }${zone}`;
}

/** RFC 3339 in UTC, to the second. */
export function formatUtcTime(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}

/** Local time as `YYYYMMDD_HHMMSS`: what a backup is called. */
export function formatBackupId(date: Date): string {
  const day = `${year(date)}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}_${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

/**
 * The id of a new backup: the local time, or the next free second after it. Two backups within a
 * second, or within the hour that daylight saving repeats, must not merge into one group.
 */
export function chooseBackupId(now: Date, taken: ReadonlySet<string>): string {
  for (let time = now.getTime();; time += 1_000) {
    const id = formatBackupId(new Date(time));
    if (!taken.has(id)) return id;
  }
}

function year(date: Date): string {
  return String(date.getFullYear()).padStart(4, "0");
}
