/**
 * Commands that run behind a client, in a container or pod: how their options, secrets and streams get
 * there, and how they are found and ended there, too, not only here. Which client, and how it is
 * called, is the environment's.
 *
 * @module
 */

export { type ClientArgv, type RemoteCommand, RemoteExec, RUN_TIMEOUT_MS } from "./remote_exec.ts";
