import { ToolError } from "../../errors/mod.ts";

/** What is wrong with the bytes; lets a caller tell "not ours" and "too new" from damage. */
export type FormatErrorReason =
  /** The bytes do not follow the layout: cut, changed, or never of this kind. */
  | "malformed"
  /** The file does not start with the format's magic bytes. */
  | "magic"
  /** A version greater than the one this code knows, or an algorithm it does not know. */
  | "version"
  /** The layout is right, but a MAC does not match the bytes. */
  | "checksum";

/** Bytes that are not what the format prescribes. The message says what is wrong, and where. */
export class FormatError extends ToolError {
  /** The kind of problem. */
  readonly reason: FormatErrorReason;

  /**
   * @param where The structure and field that was read, for example `lock.timestamp`.
   * @param problem What is wrong with it.
   * @param reason The kind of problem; "malformed" unless given.
   */
  constructor(
    where: string,
    problem: string,
    reason: FormatErrorReason = "malformed",
    options?: ErrorOptions,
  ) {
    super(`${where}: ${problem}`, options);
    this.reason = reason;
  }
}
