import { EXIT_FAILURE } from "./exit_code.ts";

/** What an error is given beside its message. */
export interface ToolErrorOptions extends ErrorOptions {
  /** What the user can do about it, as a sentence of its own, in lower case and without a stop. */
  readonly hint?: string | undefined;
  /**
   * Whether the same may go well when it is tried again later.
   *
   * @default {false}
   */
  readonly retryable?: boolean;
}

/**
 * Base of every error that is thrown on purpose. Its message is meant for the user and for nobody
 * else: code tells errors apart by their classes and fields.
 */
export class ToolError extends Error {
  override readonly name: string = this.constructor.name;
  /** What the program ends with when nothing handles the error. */
  readonly exitCode: number = EXIT_FAILURE;
  /** Whether the same may go well when it is tried again later, with nothing changed by anybody. */
  readonly retryable: boolean;
  /** What the user can do about it; shown on a line of its own. */
  readonly hint: string | undefined;

  constructor(message: string, { hint, retryable = false, ...options }: ToolErrorOptions = {}) {
    super(message, options);
    this.hint = hint;
    this.retryable = retryable;
  }
}

/**
 * The hint of an error, or the first one among its causes: whoever says in a new error what was
 * attempted keeps the advice of whoever knew the reason.
 */
export function hintOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ToolError && cause.hint !== undefined) return cause.hint;
  }
  return undefined;
}
