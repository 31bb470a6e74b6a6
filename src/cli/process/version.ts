import project from "../../../deno.json" with { type: "json" };

/** Version of this program, as recorded in every backup that it makes. */
export const VERSION: string = project.version;

/** What `--version` prints. */
export const VERSION_TEXT: string = `Version: ${VERSION}`;

/** Whether a command line asks for the version and for nothing else. */
export function isVersionRequest(argv: readonly string[]): boolean {
  return argv.length === 1 && argv[0] === "--version";
}
