/**
 * Exit codes of the program; scripts rely on them. {@linkcode EXIT_STATUS_HELP} says the same to
 * users, at the end of every help text.
 *
 * @module
 */

/** Everything that was asked for was done. */
export const EXIT_SUCCESS = 0;

/**
 * Anything else, wrong usage included, as in the Go tool. After a restore that failed, the last lines
 * on standard error say what state everything is in.
 */
export const EXIT_FAILURE = 1;

/**
 * The backup was made and is good, but is so much smaller than the one before that somebody should
 * look at it. See `create --shrink-warning`.
 */
export const EXIT_SUSPICIOUS = 3;

/** Ended by SIGINT (Ctrl+C), after clean-up: 128 and the signal's number, as shells count. */
export const EXIT_INTERRUPTED = 130;

/** Ended by SIGTERM, after clean-up. */
export const EXIT_TERMINATED = 143;

/** The exit codes for help texts. */
export const EXIT_STATUS_HELP = `
Exit status:
  ${EXIT_SUCCESS} when everything was done, ${EXIT_FAILURE} on failure or wrong usage, ${EXIT_SUSPICIOUS} when a backup was made but is suspiciously
  small, ${EXIT_INTERRUPTED} or ${EXIT_TERMINATED} when ended by SIGINT or SIGTERM`;
