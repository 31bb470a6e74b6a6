import type { CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { commandPath, defaultCommandOf, examplesOf } from "../syntax/mod.ts";
import { EXIT_CODES, VERSION } from "../process/mod.ts";
import type { SessionProvider } from "../session/mod.ts";

/** Adds `manual`. */
export function addManual(root: CommandUnknownOpts, session: SessionProvider): void {
  root.command("manual")
    .description("Print the manual page, for man(1)")
    .action(() => session().context.writeOut(manualPage(root)));
}

/** The manual page, made from the command's definition. */
export function manualPage(root: CommandUnknownOpts): string {
  const name = root.name();
  const lines = [
    `.TH ${name.toUpperCase()} 1 "" "${name} ${VERSION}" "User Commands"`,
    ".SH NAME",
    text(`${name} - ${root.description()}`),
    ".SH SYNOPSIS",
    `.B ${text(name)}`,
    text("[OPTION]... COMMAND [ARGUMENT]..."),
    ".SH DESCRIPTION",
    text(
      `${root.description()}. Results go to standard output, everything else to standard error. ` +
        "Options that name a variable take their value from it when they are not given; an empty " +
        "variable counts as unset. Options of all commands may stand anywhere.",
    ),
    ".SH COMMANDS",
    ...visibleCommands(root).flatMap((command) => commandSection(command)),
    ".SH OPTIONS OF ALL COMMANDS",
    ...optionsOf(root).flatMap(optionEntry),
    ".SH EXIT STATUS",
    ...EXIT_CODES.flatMap(({ code, meaning }) => [".TP", `.B ${code}`, text(`${meaning}.`)]),
    ".SH EXAMPLES",
    ...exampleLines(root),
    "",
  ];
  return lines.join("\n");
}

/** Every command below one that has something to say, each before its own sub-commands. */
function visibleCommands(command: CommandUnknownOpts): CommandUnknownOpts[] {
  return command.commands
    .filter((child) => child !== defaultCommandOf(command))
    .flatMap((child) => [child, ...visibleCommands(child)]);
}

function commandSection(command: CommandUnknownOpts): string[] {
  const acting = defaultCommandOf(command) ?? command;
  const args = acting.registeredArguments;
  const isMenu = command.commands.length > 0 && acting === command;
  const usage = [
    commandPath(command).split(" ").slice(1).join(" "),
    ...(isMenu ? ["COMMAND"] : []),
    ...(optionsOf(acting).length > 0 ? ["[OPTION]..."] : []),
    ...args.map((argument) => {
      const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
      return argument.required ? `<${name}>` : `[${name}]`;
    }),
  ].join(" ");
  return [
    `.SS ${quoted(usage)}`,
    text(`${command.description()}.`),
    ...args.flatMap((argument) => [
      ".TP",
      `.I ${text(argument.name())}`,
      text(
        argument.argChoices === undefined
          ? argument.description
          : `${argument.description}: ${argument.argChoices.join(", ")}`,
      ),
    ]),
    ...optionsOf(acting).flatMap(optionEntry),
    ...(examplesOf(command).length > 0 ? [".PP", "Examples:", ...exampleLines(command)] : []),
  ];
}

function optionsOf(command: CommandUnknownOpts): readonly Option[] {
  return command.options.filter((option) => !option.hidden);
}

function optionEntry(option: Option): string[] {
  const { defaultValue, defaultValueDescription, argChoices } = option;
  const isSaid = defaultValue !== undefined && typeof defaultValue !== "boolean";
  const details = [
    ...(argChoices === undefined ? [] : [`one of ${argChoices.join(", ")}`]),
    ...(isSaid ? [`default: ${defaultValueDescription ?? String(defaultValue)}`] : []),
  ];
  return [
    ".TP",
    `.B ${text(option.flags)}`,
    text(option.description + (details.length > 0 ? ` (${details.join("; ")})` : "")),
  ];
}

function exampleLines(command: CommandUnknownOpts): string[] {
  return [".RS 2", ".nf", ...examplesOf(command).map(text), ".fi", ".RE"];
}

/** A line of text: nothing in it is taken for a request of roff. */
function text(line: string): string {
  const escaped = line.replaceAll("\\", "\\e").replaceAll("-", "\\-");
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

function quoted(line: string): string {
  return `"${text(line).replaceAll('"', '""')}"`;
}
