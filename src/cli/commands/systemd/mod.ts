/**
 * `systemd units`: the service and timer that run the program, and the check of the command in them.
 *
 * @module
 */

export { addSystemd } from "./systemd.ts";
