import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { UsageError } from "./usage_error.ts";

/** Makes a command that only has sub-commands print its help, on standard output, with success. */
export function actAsMenu(command: CommandUnknownOpts): void {
  command.allowExcessArguments().action(() => {
    const [unknown] = command.args;
    if (unknown === undefined) return command.outputHelp();
    const path = commandPath(command);
    throw new UsageError(
      `unknown command ${JSON.stringify(unknown)} for "${path}"\n` +
        `Run '${path} --help' for usage.`,
    );
  });
}

/** How a command is called, from the program's name on. */
export function commandPath(command: CommandUnknownOpts): string {
  return command.parent ? `${commandPath(command.parent)} ${command.name()}` : command.name();
}
