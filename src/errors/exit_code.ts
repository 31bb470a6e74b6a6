/**
 * The numbers that the program ends with. They are down here because errors carry them; what they
 * tell a user is said where the program ends, by `EXIT_CODES` of the command line.
 *
 * @module
 */

/** Everything that was asked for was done. */
export const EXIT_SUCCESS = 0;

/** Anything else, wrong usage included, as in the Go tool. */
export const EXIT_FAILURE = 1;

/** See `create --shrink-warning`. */
export const EXIT_SUSPICIOUS = 3;

/** See `snapshots check`. */
export const EXIT_INCOMPLETE = 4;

/** Ended by SIGHUP, as when the terminal is closed. */
export const EXIT_HANGUP = 129;

/** Ended by SIGINT: 128 and the signal's number, as shells count. */
export const EXIT_INTERRUPTED = 130;

/** Ended by SIGTERM. */
export const EXIT_TERMINATED = 143;
