import type { CommanderError } from "@commander-js/extra-typings";
import { ToolError } from "../../errors/mod.ts";

/** The command line, or a variable that stands in for it, is not usable. */
export class UsageError extends ToolError {}

/**
 * Says in the Go tool's words what commander found wrong with the command line. What is wrong is told
 * by commander's codes; names and values of options it has in its texts alone.
 */
export function usageErrorOf(error: CommanderError): UsageError {
  const text = error.message.replace(/^error: /, "");
  return new UsageError(translate(error.code, text), { cause: error });
}

function translate(code: string, text: string): string {
  switch (code) {
    case "commander.unknownOption":
      return text.replace(/^unknown option '([^']*)'[^]*$/, "unknown flag: $1");
    case "commander.optionMissingArgument":
      return text.replace(
        /^command-argument value '([^]*)' is invalid for argument '([^']*)'\. /,
        (_, value: string, name: string) =>
          `invalid argument ${JSON.stringify(value)} for ${name}: `,
      ).replace(
        /^option '(?:-\w, )?(--[\w-]+)[^']*' argument missing$/,
        "flag needs an argument: $1",
      );
    case "commander.missingMandatoryOptionValue":
      return text.replace(
        /^required option '--([\w-]+)[^']*' not specified$/,
        'required flag(s) "$1" not set',
      );
    case "commander.invalidArgument":
      return text.replace(
        /^command-argument value '([^]*)' is invalid for argument '([^']*)'\. /,
        (_, value: string, name: string) =>
          `invalid argument ${JSON.stringify(value)} for ${name}: `,
      ).replace(
        /^option '(?:-\w, )?(--[\w-]+)[^']*' argument '([^]*)' is invalid\. ([^]*)$/,
        (_, flag: string, value: string, reason: string) =>
          `invalid argument ${JSON.stringify(value)} for "${flag}" flag: ${reason}`,
      );
    default:
      return text;
  }
}
