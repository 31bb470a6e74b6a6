import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { formatDuration, InvalidDurationError, parseDuration } from "../../environment/mod.ts";
import { mistakeInPath } from "../../files/mod.ts";
import { InvalidInputError, type Neo4jEdition, resolveEdition } from "../../infrahub/mod.ts";

/** The options that take their value from the environment, with the names of their variables. */
const VARIABLES = new WeakMap<object, string>();

/**
 * An option that may also be set by the environment. The variable's name follows from the flag:
 * `--log-format` is `INFRAHUB_LOG_FORMAT`.
 *
 * @param variable its name where that of the rule is one of Infrahub's own, which means something
 * else: who sources the variables of Infrahub's services must not set options of this program
 *
 * Commander's own binding is not used: an empty variable would count as set there, and any value
 * of a boolean one as true.
 */
export function environmentOption<Flags extends string>(
  flags: Flags,
  description: string,
  variable?: string,
): Option<Flags> {
  const option = new Option(flags, description);
  VARIABLES.set(option, variable ?? variableByRule(option));
  option.description = `${description} (env: ${variableOf(option)})`;
  return option;
}

/** A variable of Infrahub's own that says something of an option here as well. */
export interface SharedVariable {
  readonly name: string;
  /** The option's value for a text of it, as its own variable has it; undefined for any other text. */
  readonly understand: (text: string) => string | undefined;
  /** Whether a text that is not understood is warned of, and not passed over. */
  readonly warns: boolean;
}

const SHARED_VARIABLES = new WeakMap<object, SharedVariable>();

/**
 * The same option, which takes its value from a variable of Infrahub's where its own is not set: one
 * that means the same there, or that versions before this one had, scripts for which go on working.
 */
export function sharing<Flags extends string>(
  option: Option<Flags>,
  variable: SharedVariable,
): Option<Flags> {
  SHARED_VARIABLES.set(option, variable);
  return option;
}

/** See {@linkcode sharing}; undefined for most options. */
export function sharedVariableOf(option: object): SharedVariable | undefined {
  return SHARED_VARIABLES.get(option);
}

/** Whether the option was made by {@linkcode environmentOption}. */
export function honoursEnvironment(option: object): boolean {
  return VARIABLES.has(option);
}

/** Name of the variable that belongs to an option. */
export function variableOf(option: { name(): string }): string {
  return VARIABLES.get(option) ?? variableByRule(option);
}

function variableByRule(option: { name(): string }): string {
  return `INFRAHUB_${option.name().toUpperCase().replaceAll("-", "_")}`;
}

/** Reads a boolean as Go does; anything else is an error. */
export function parseBoolean(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw new InvalidArgumentError(
    `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

/** Reads a duration such as `30m`, in milliseconds. */
export function durationArgument(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof InvalidDurationError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

/** Reads the path of a file or folder that may be made. */
export function pathArgument(text: string): string {
  const mistake = mistakeInPath(text);
  if (mistake !== undefined) throw new InvalidArgumentError(mistake);
  return text;
}

/** Reads a number of things, at least one. */
export function countArgument(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < 1) {
    throw new InvalidArgumentError("must be a whole number greater than 0");
  }
  return count;
}

/** Reads a percentage, 0 to 99. */
export function percentArgument(text: string): number {
  if (!/^\d{1,2}$/.test(text)) {
    throw new InvalidArgumentError("must be a whole number from 0 to 99");
  }
  return Number(text);
}

/** Reads a Neo4j edition, in any case. */
export function editionArgument(text: string): Neo4jEdition {
  try {
    return resolveEdition(text).edition;
  } catch (error) {
    if (error instanceof InvalidInputError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

/** Collects `service=unit`, several in one text separated by commas. */
export function namesArgument(
  text: string,
  earlier: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const names = { ...earlier };
  for (const pair of text.split(",")) {
    const [, service, name] = /^\s*([^\s=]+)=(\S+)\s*$/.exec(pair) ?? [];
    if (service === undefined || name === undefined) {
      throw new InvalidArgumentError("must be <service>=<name>");
    }
    names[service] = name;
  }
  return names;
}

/** Reads the longest time for a service, in milliseconds; there is none without a limit. */
export function serviceTimeoutArgument(text: string): number {
  const milliseconds = durationArgument(text);
  if (milliseconds <= 0) throw new InvalidArgumentError("must be longer than 0");
  return milliseconds;
}

/** An option for a duration in Go's notation; its value is in milliseconds. */
export function durationOption<Flags extends string>(
  flags: Flags,
  description: string,
  milliseconds: number,
) {
  return environmentOption(flags, description).argParser(durationArgument)
    .default(milliseconds, formatDuration(milliseconds));
}

/** `--stream-timeout`, as all commands that stream have it. */
export function streamTimeoutOption() {
  return durationOption(
    "--stream-timeout <duration>",
    "longest time without a byte in a running dump or restore, such as 90s or 1h; 0 for no limit",
    30 * 60_000,
  );
}

/** `--no-wait`, for commands that start services. */
export function noWaitOption() {
  // No variable: its rule has none for an option that takes something away.
  return new Option(
    "--no-wait",
    "do not wait until services that are started answer; each needs those before it",
  );
}

/** `--neo4j-edition` for commands that would ask Neo4j otherwise. */
export function neo4jEditionOption() {
  return environmentOption(
    "--neo4j-edition <edition>",
    "enterprise or community (default: Neo4j is asked)",
  ).argParser(editionArgument);
}
