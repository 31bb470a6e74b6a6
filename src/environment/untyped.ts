/** Careful looks at parsed JSON of other programs: what is not as expected reads as missing. */

/** The members of an object; none for anything else. */
export function members(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : {};
}

/** The items of an array; none for anything else. */
export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text; empty for anything else. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A number; 0 for anything else. */
export function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** The members of an object that are texts. */
export function texts(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(members(value)).filter((entry): entry is [string, string] =>
      typeof entry[1] === "string"
    ),
  );
}
