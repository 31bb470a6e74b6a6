/** What gives away that a shell, or a program, should have changed a text before it got here. */
const MISTAKES: readonly (readonly [RegExp, string])[] = [
  [/\p{Cc}/u, "it has a control character in it"],
  [/^\s|\s$/u, "it begins or ends with a space"],
  [/^["'`]|["'`]$/, "it has quotes around it"],
  [/^-/, "it looks like a flag; write ./ before it if it is a name"],
  [/^~/, "the ~ was not expanded: write the whole path, or ./ before it if it is a name"],
  [/(?:^|\/)\$(?:\w|\{)/, "a variable in it was not expanded"],
];

/**
 * What is wrong with a path that nobody means: only shells know `~` and variables, and quotes in a
 * variable or a unit file stay. Without a look at it, a folder of that very name would be made.
 *
 * @returns undefined for a path that may be meant
 */
export function mistakeInPath(path: string): string | undefined {
  return MISTAKES.find(([pattern]) => pattern.test(path))?.[1];
}
