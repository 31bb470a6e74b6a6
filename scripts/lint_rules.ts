/**
 * Rules of the house for `deno lint`, named in `deno.json`.
 *
 * - `house/no-exit`: a module of the program below `src/cli` ends no process; it throws, and the
 *   command line finds the exit code.
 *
 * (`no-console`, which Deno has itself, does the same for output.)
 *
 * @module
 */

/** Modules that may end the process: the program's first and its command line, and scripts. */
function mayExit(filename: string): boolean {
  const inside = /\/src\/(?<layer>[^/]+)\//.exec(filename.replaceAll("\\", "/"));
  return inside === null || inside.groups?.layer === "cli";
}

const plugin: Deno.lint.Plugin = {
  name: "house",
  rules: {
    "no-exit": {
      create(context) {
        if (mayExit(context.filename)) return {};
        return {
          'MemberExpression[object.name="Deno"][property.name=/^exit(Code)?$/]'(node) {
            context.report({
              node,
              message: "Only main.ts and src/cli may end the process: throw an error with exitCode",
            });
          },
        };
      },
    },
  },
};

export default plugin;
