/** Exit codes of the program; scripts rely on them. */

/** Everything that was asked for was done. */
export const EXIT_SUCCESS = 0;

/** Anything else, wrong usage included, as in the Go tool. */
export const EXIT_FAILURE = 1;

/** Ended by SIGINT (Ctrl+C), after clean-up: 128 and the signal's number, as shells count. */
export const EXIT_INTERRUPTED = 130;

/** Ended by SIGTERM, after clean-up. */
export const EXIT_TERMINATED = 143;
