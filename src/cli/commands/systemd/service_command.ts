import { CommanderError } from "@commander-js/extra-typings";
import {
  createRootCommand,
  normaliseBooleans,
  UsageError,
  usageErrorOf,
} from "../../syntax/mod.ts";
import { addCreate } from "../create/mod.ts";

/** Thrown in place of running a command that could be run. */
class ParsedSignal extends Error {}

/**
 * Checks the command line of a service without running it: a mistake should be told to whoever makes
 * the service, not be found in its log when the first backup is missing.
 *
 * @param argv without the program's name; its command is `create`
 * @throws {UsageError} `create` would refuse it
 */
export async function checkServiceCommand(argv: readonly string[]): Promise<void> {
  const root = createRootCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {}, outputError: () => {} });
  // What a command asks for once it has found nothing wrong with its arguments.
  addCreate(root, () => {
    throw new ParsedSignal();
  });
  try {
    await root.parseAsync(normaliseBooleans(root, argv).argv, { from: "user" });
  } catch (error) {
    if (error instanceof ParsedSignal) return;
    if (error instanceof CommanderError && error.exitCode !== 0) {
      throw serviceError(usageErrorOf(error));
    }
    if (error instanceof UsageError) throw serviceError(error);
    if (!(error instanceof CommanderError)) throw error;
  }
  throw new UsageError("the service's command would only print help, and back up nothing");
}

function serviceError(error: UsageError): UsageError {
  return new UsageError(`the service's command is not possible: ${error.message}`, {
    cause: error,
  });
}
