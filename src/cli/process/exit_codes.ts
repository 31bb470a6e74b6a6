/**
 * Exit codes of the program; scripts rely on them. {@linkcode EXIT_CODES} explains them to users: at
 * the end of every help text, in the manual page and in `docs/scripting.md`. The numbers themselves
 * are `src/errors`'s, as errors carry them.
 *
 * @module
 */

import {
  EXIT_FAILURE,
  EXIT_HANGUP,
  EXIT_INCOMPLETE,
  EXIT_INTERRUPTED,
  EXIT_SUCCESS,
  EXIT_SUSPICIOUS,
  EXIT_TERMINATED,
} from "../../errors/mod.ts";

export {
  EXIT_FAILURE,
  EXIT_HANGUP,
  EXIT_INCOMPLETE,
  EXIT_INTERRUPTED,
  EXIT_SUCCESS,
  EXIT_SUSPICIOUS,
  EXIT_TERMINATED,
};

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
  {
    code: EXIT_INCOMPLETE,
    meaning:
      "What was checked is not damaged, but a backup lacks components: it was interrupted, is " +
      "still being made, or single snapshots of it were removed",
  },
  {
    code: EXIT_HANGUP,
    meaning: "Ended by SIGHUP (the terminal was closed), after everything was put back",
  },
  { code: EXIT_INTERRUPTED, meaning: "Ended by SIGINT (Ctrl+C), after everything was put back" },
  { code: EXIT_TERMINATED, meaning: "Ended by SIGTERM, after everything was put back" },
];

/** The exit codes for help texts. */
export const EXIT_STATUS_HELP = `
Exit status:
  ${EXIT_SUCCESS} when everything was done, ${EXIT_FAILURE} on failure or wrong usage, ${EXIT_SUSPICIOUS} when a backup was made but is suspiciously
  small, ${EXIT_INCOMPLETE} when a check found no damage but incomplete backups, ${EXIT_HANGUP}, ${EXIT_INTERRUPTED} or ${EXIT_TERMINATED} when ended
  by SIGHUP, SIGINT or SIGTERM`;
