import { type CommandUnknownOpts, Help } from "@commander-js/extra-typings";

const DEFAULTS = new WeakMap<CommandUnknownOpts, CommandUnknownOpts>();

/**
 * Makes a sub-command what its parent does when no other is named, and hides its name. It has options
 * of its own, which its siblings do not accept; in help and completions they are the parent's.
 */
export function setDefaultCommand(parent: CommandUnknownOpts, command: CommandUnknownOpts): void {
  DEFAULTS.set(parent, command);
  parent.configureHelp({
    showGlobalOptions: true,
    visibleOptions: (asked) =>
      asked === parent
        ? [...command.options.filter((option) => !option.hidden), ...ordinary(parent)]
        : ordinary(asked),
  });
}

/** What a command does when none of its sub-commands is named; undefined for most. */
export function defaultCommandOf(parent: CommandUnknownOpts): CommandUnknownOpts | undefined {
  return DEFAULTS.get(parent);
}

/** What help shows where nothing is configured: the command's own options, and `--help`. */
function ordinary(command: CommandUnknownOpts) {
  return new Help().visibleOptions(command);
}
