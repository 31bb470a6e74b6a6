import { PROGRAM } from "../syntax/mod.ts";
import type { CliContext } from "../process/mod.ts";

/**
 * Where the host's state is kept: what systemd gives the service, else what the XDG Base Directory
 * Specification says. A variable that is not an absolute path is passed over.
 *
 * @returns an absolute path, which need not exist; undefined when no variable helps
 */
export function stateDirectory(env: CliContext["env"]): string | undefined {
  const [given] = env("STATE_DIRECTORY")?.split(":") ?? []; // several where a unit names several
  if (given?.startsWith("/")) return given;
  const states = env("XDG_STATE_HOME");
  if (states?.startsWith("/")) return `${states.replace(/\/+$/, "")}/${PROGRAM}`;
  const home = env("HOME");
  if (home?.startsWith("/")) return `${home.replace(/\/+$/, "")}/.local/state/${PROGRAM}`;
  return undefined;
}
