const encoder = new TextEncoder();

/** Compares by the bytes of UTF-8, as Go sorts strings; JavaScript compares UTF-16. */
export function compareText(a: string, b: string): number {
  const left = encoder.encode(a);
  const right = encoder.encode(b);
  for (let at = 0; at < left.length && at < right.length; at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Compares paths name by name: the order of a walk that sorts each directory. */
export function comparePaths(a: string, b: string): number {
  const left = a.split("/");
  const right = b.split("/");
  for (let at = 0; at < left.length && at < right.length; at++) {
    const difference = compareText(left[at] ?? "", right[at] ?? "");
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
