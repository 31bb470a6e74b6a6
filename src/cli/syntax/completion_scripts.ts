import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { defaultCommandOf } from "./default_command.ts";

/** A word that may come next, with what it means. */
interface Candidate {
  readonly word: string;
  readonly description: string;
}

/** A place on the command line: the sub-commands given so far, and what may follow. */
interface Place {
  /** ` create from-files`: each name with a blank before it; empty at the program itself. */
  readonly route: string;
  readonly commands: readonly Candidate[];
  readonly flags: readonly (Candidate & { readonly takesValue: boolean })[];
  /** Fixed values of arguments. */
  readonly values: readonly Candidate[];
}

/** A completion script for bash, made from the command's definition. */
export function bashCompletion(root: CommandUnknownOpts): string {
  const name = root.name();
  const places = placesOf(root);
  const cases = places.map(({ route, ...place }) => {
    const words = candidatesOf(place).map(({ word }) => word).join(" ");
    return `    ${shellQuote(route)}) words=${shellQuote(words)} ;;`;
  });
  return `# bash completion for ${name}
${functionName(name)}() {
  local route='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$route $word" in
      ${routePattern(places)}) route="$route $word" ;;
    esac
  done
  case "$route" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F ${functionName(name)} ${name}
`;
}

/** A completion script for zsh, made from the command's definition. */
export function zshCompletion(root: CommandUnknownOpts): string {
  const name = root.name();
  const places = placesOf(root);
  const cases = places.map(({ route, ...place }) => {
    const words = candidatesOf(place).map(({ word, description }) =>
      `      ${shellQuote(`${word}:${description.replaceAll(":", "\\:")}`)}`
    );
    return `    (${shellQuote(route)}) candidates=(\n${words.join("\n")}\n    ) ;;`;
  });
  return `#compdef ${name}
# zsh completion for ${name}
${functionName(name)}() {
  local route='' word
  local -a candidates
  for word in "\${words[@]:1:CURRENT-2}"; do
    case "$route $word" in
      (${routePattern(places)}) route="$route $word" ;;
    esac
  done
  case "$route" in
${cases.join("\n")}
  esac
  _describe ${shellQuote(name)} candidates || _files
}
compdef ${functionName(name)} ${name}
`;
}

/** A completion script for fish, made from the command's definition. */
export function fishCompletion(root: CommandUnknownOpts): string {
  const name = root.name();
  const places = placesOf(root);
  const at = `_${functionName(name)}_at`;
  const lines = places.flatMap(({ route, commands, flags, values }) => {
    const head = `complete -c ${name} -n ${shellQuote(`${at} "${route}"`)}`;
    return [
      ...[...commands, ...values].map(({ word, description }) =>
        `${head} -f -a ${word} -d ${fishQuote(description)}`
      ),
      ...flags.map(({ word, description, takesValue }) =>
        `${head} -l ${word.slice(2)}${takesValue ? " -r" : ""} -d ${fishQuote(description)}`
      ),
    ];
  });
  const routes = places.slice(1).map(({ route }) => shellQuote(route)).join(" ");
  return `# fish completion for ${name}
function ${at}
  set -l route ''
  for word in (commandline -opc)[2..]
    if contains -- "$route $word" ${routes}
      set route "$route $word"
    end
  end
  test "$route" = "$argv[1]"
end
${lines.join("\n")}
`;
}

function placesOf(root: CommandUnknownOpts): Place[] {
  const globals = flagsOf(root);
  const visit = (command: CommandUnknownOpts, route: string): Place[] => {
    const place: Place = {
      route,
      commands: childrenOf(command).map((child) => ({
        word: child.name(),
        description: child.description(),
      })),
      flags: command === root
        ? globals
        : [...flagsOf(defaultCommandOf(command) ?? command), ...globals],
      values: command.registeredArguments.flatMap((argument) =>
        (argument.argChoices ?? []).map((word) => ({ word, description: argument.description }))
      ),
    };
    return [
      place,
      ...childrenOf(command).flatMap((child) => visit(child, `${route} ${child.name()}`)),
    ];
  };
  return visit(root, "");
}

function childrenOf(command: CommandUnknownOpts): CommandUnknownOpts[] {
  return command.commands.filter((child) => child !== defaultCommandOf(command));
}

function flagsOf(command: CommandUnknownOpts): Place["flags"] {
  return [
    ...command.options.filter((option) => !option.hidden).map((option) => ({
      word: option.long ?? "",
      description: option.description,
      takesValue: option.required,
    })),
    ...(command.parent ? [] : [{ word: "--help", description: "print help", takesValue: false }]),
  ];
}

function candidatesOf(place: Omit<Place, "route">): Candidate[] {
  return [...place.commands, ...place.values, ...place.flags];
}

/** Alternatives of a shell pattern: the routes that exist. */
function routePattern(places: readonly Place[]): string {
  return places.slice(1).map(({ route }) => shellQuote(route)).join("|");
}

function functionName(name: string): string {
  return `_${name.replaceAll("-", "_")}`;
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function fishQuote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
