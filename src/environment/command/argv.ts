import { parseArgsStringToArgv } from "string-argv";
import { ToolError } from "../../errors/mod.ts";

/** A command line that cannot be split into a program and its arguments. */
export class InvalidCommandError extends ToolError {}

/**
 * Splits a command line into program and arguments, with quotes as in a shell and nothing else of it:
 * no variables, no globs, no pipes, and a backslash is an ordinary character.
 *
 * @throws {InvalidCommandError} when it is empty or a quote is left open
 */
export function splitCommand(commandLine: string): string[] {
  if (hasOpenQuote(commandLine)) {
    throw new InvalidCommandError(`command has an unbalanced quote: ${commandLine}`);
  }
  const argv = parseArgsStringToArgv(commandLine);
  if (argv[0] === undefined || argv[0] === "") throw new InvalidCommandError("command is empty");
  return argv;
}

/** One line that names a command in messages; arguments that need quotes have them. */
export function formatCommand(argv: readonly string[]): string {
  const quote = (argument: string) =>
    /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
  return `"${argv.map(quote).join(" ")}"`;
}

/** string-argv takes an open quote for an ordinary character: the command would be another one. */
function hasOpenQuote(text: string): boolean {
  let open = "";
  for (const character of text) {
    if (open !== "") {
      if (character === open) open = "";
    } else if (character === "'" || character === '"') {
      open = character;
    }
  }
  return open !== "";
}
