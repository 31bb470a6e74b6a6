import { ToolError } from "../../errors/mod.ts";

/** A command whose secrets arrive at the start of its standard input. */
export interface SecretInput {
  /** Program and arguments: a POSIX shell that reads the secrets and becomes the command. */
  readonly argv: readonly string[];
  /** The first bytes of standard input; what follows is the command's own. */
  readonly input: Uint8Array;
}

/** A secret that cannot be handed over. */
export class InvalidSecretError extends ToolError {}

/**
 * Makes a command take secrets as environment variables from the first lines of its standard input,
 * so that they stand on no command line. The shell reads a pipe byte by byte, and takes no byte
 * of what follows.
 *
 * @param unset variables that the command must not find in the environment that it inherits
 * @returns undefined when there are no secrets
 * @throws {InvalidSecretError} for a line break or NUL in a value, or a name that is none in a shell
 */
export function secretInput(
  argv: readonly string[],
  secrets: Readonly<Record<string, string>> = {},
  unset: readonly string[] = [],
): SecretInput | undefined {
  const entries = Object.entries(secrets);
  if (entries.length === 0) return undefined;
  checkSecrets(secrets);
  const reads = entries.map(([name]) => `IFS= read -r ${name}`).join(" && ");
  const names = entries.map(([name]) => name).join(" ");
  const others = unset.filter((name) => !(name in secrets));
  const script = `${reads} || { echo 'secrets did not arrive' >&2; exit 1; }; ${
    unsetting(others)
  }export ${names}; exec "$@"`;
  return {
    argv: ["sh", "-c", script, "sh", ...argv],
    input: new TextEncoder().encode(entries.map(([, value]) => `${value}\n`).join("")),
  };
}

/** Makes a command not inherit variables. Whatever is named in `unset` has to be a name in a shell. */
export function withoutVariables(
  argv: readonly string[],
  unset: readonly string[],
): readonly string[] {
  return unset.length === 0 ? argv : ["sh", "-c", `${unsetting(unset)}exec "$@"`, "sh", ...argv];
}

function unsetting(names: readonly string[]): string {
  return names.length === 0 ? "" : `unset ${names.join(" ")}; `;
}

/** @throws {InvalidSecretError} see {@linkcode secretInput}; the message holds no value */
export function checkSecrets(secrets: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(secrets)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new InvalidSecretError(`${JSON.stringify(name)} is no name of a variable`);
    }
    if (/[\n\0]/.test(value)) {
      throw new InvalidSecretError(`the value of ${name} has a line break or a NUL in it`);
    }
  }
}
