/**
 * Exit codes of the program; scripts rely on them. {@linkcode EXIT_CODES} explains them to users: at
 * the end of every help text, in the manual page and in `docs/scripting.md`.
 *
 * @module
 */

/** Everything that was asked for was done. */
export const EXIT_SUCCESS = 0;

/** Anything else, wrong usage included, as in the Go tool. */
export const EXIT_FAILURE = 1;

/** See `create --shrink-warning`. */
export const EXIT_SUSPICIOUS = 3;

/** Ended by SIGINT: 128 and the signal's number, as shells count. */
export const EXIT_INTERRUPTED = 130;

/** Ended by SIGTERM. */
export const EXIT_TERMINATED = 143;

/** An exit code, and what it tells. */
export interface ExitCode {
  readonly code: number;
  readonly meaning: string;
}

/** All of them. */
export const EXIT_CODES: readonly ExitCode[] = [
  { code: EXIT_SUCCESS, meaning: "Everything that was asked for was done" },
  {
    code: EXIT_FAILURE,
    meaning:
      "Failure or wrong usage; the last lines on standard error say what failed, and after a " +
      "failed restore in what state everything is",
  },
  {
    code: EXIT_SUSPICIOUS,
    meaning: "The backup was made and is whole, but is so much smaller than the one before that " +
      "somebody should look at it",
  },
  { code: EXIT_INTERRUPTED, meaning: "Ended by SIGINT (Ctrl+C), after everything was put back" },
  { code: EXIT_TERMINATED, meaning: "Ended by SIGTERM, after everything was put back" },
];

/** The exit codes for help texts. */
export const EXIT_STATUS_HELP = `
Exit status:
  ${EXIT_SUCCESS} when everything was done, ${EXIT_FAILURE} on failure or wrong usage, ${EXIT_SUSPICIOUS} when a backup was made but is suspiciously
  small, ${EXIT_INTERRUPTED} or ${EXIT_TERMINATED} when ended by SIGINT or SIGTERM`;
