/**
 * Ends of commands that run behind a client, in a container or pod: they are found and ended there,
 * too, not only here.
 *
 * @module
 */

export { type ClientArgv, type RemoteCommand, RemoteExec, RUN_TIMEOUT_MS } from "./remote_exec.ts";
