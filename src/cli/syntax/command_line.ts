import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { InvalidArgumentError } from "@commander-js/extra-typings";
import { honoursEnvironment, parseBoolean, sharedVariableOf, variableOf } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Rewrites what the Go tool's command line has and commander does not know: `--flag=true` is the flag
 * itself, `--flag=false` takes it back, and `-o=value` is `-o value`.
 *
 * @throws {UsageError} when the value is no boolean
 */
export function normaliseBooleans(
  root: CommandUnknownOpts,
  argv: readonly string[],
): { argv: string[]; denied: Set<string> } {
  const options = allCommands(root).flatMap((command) => command.options);
  const booleans = new Set(
    options.filter((option) => option.isBoolean()).map((option) => option.long),
  );
  const valued = new Set(
    options.filter((option) => option.required).flatMap(({ long, short }) => [long, short]),
  );
  const result: string[] = [];
  const denied = new Set<string>();
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? "";
    if (argument === "--") return { argv: [...result, ...argv.slice(index)], denied };
    const [, short = "", shortValue = ""] = /^(-[A-Za-z])=([^]*)$/.exec(argument) ?? [];
    if (valued.has(short)) {
      result.push(short, shortValue);
      continue;
    }
    const [, flag = argument, value] = /^(--[^=]+)=([^]*)$/.exec(argument) ?? [];
    if (!booleans.has(flag)) {
      result.push(argument);
      const next = argv[index + 1];
      // The value of another flag is not looked at, whatever it looks like.
      if (valued.has(argument) && next !== undefined) {
        result.push(next);
        index++;
      }
    } else if (value === undefined || booleanOf(flag, value)) {
      denied.delete(flag);
      result.push(flag);
    } else {
      denied.add(flag);
      while (result.includes(flag)) result.splice(result.indexOf(flag), 1);
    }
  }
  return { argv: result, denied };
}

/**
 * The value of a flag on a command line that could not be parsed: how an error is told must not depend
 * on which side of the flag the mistake is.
 */
export function flagValue(argv: readonly string[], flag: string): string | undefined {
  const end = argv.indexOf("--");
  const words = end < 0 ? argv : argv.slice(0, end);
  const last = words.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`));
  return words[last] === flag ? words[last + 1] : words[last]?.slice(flag.length + 1);
}

/**
 * Gives the options of a command and of its parents the values of their variables, where the
 * command line does not set them. An empty variable counts as unset.
 *
 * @param denied flags that the command line set to false
 * @returns what a user has to be told of variables that were left aside
 * @throws {UsageError} when a variable's value does not fit its option
 */
export function applyEnvironment(
  command: CommandUnknownOpts,
  env: (name: string) => string | undefined,
  denied: ReadonlySet<string>,
): string[] {
  const warnings: string[] = [];
  for (let current: CommandUnknownOpts | null = command; current; current = current.parent) {
    for (const option of current.options) {
      const key = option.attributeName();
      const source = current.getOptionValueSource(key);
      if (!honoursEnvironment(option) || (source !== undefined && source !== "default")) continue;
      if (denied.has(option.long ?? "")) continue;
      let name = variableOf(option);
      let text = env(name);
      const shared = sharedVariableOf(option);
      const theirs = shared && env(shared.name);
      if (!text && shared !== undefined && theirs) {
        name = shared.name;
        text = shared.understand(theirs);
        if (text === undefined && shared.warns) {
          warnings.push(
            `${name}=${theirs} is not understood here and left aside: ` +
              `use ${variableOf(option)} for this program`,
          );
        }
      }
      if (!text) continue;
      try {
        const value = option.isBoolean()
          ? parseBoolean(text)
          : option.parseArg?.(text, undefined) ?? text;
        current.setOptionValueWithSource(key, value, "env");
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
        throw new UsageError(
          `invalid value ${JSON.stringify(text)} of ${name}: ${error.message}`,
          { cause: error },
        );
      }
    }
  }
  return warnings;
}

/** A command and all below it, in the order of definition. */
export function allCommands(command: CommandUnknownOpts): CommandUnknownOpts[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

function booleanOf(flag: string, value: string): boolean {
  try {
    return parseBoolean(value);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new UsageError(
      `invalid argument ${JSON.stringify(value)} for "${flag}" flag: ${error.message}`,
      { cause: error },
    );
  }
}
