import { Option } from "@commander-js/extra-typings";

/** `--format` of the commands that store dumps which others have made. */
export function dumpFormatOption() {
  return new Option(
    "--format <format>",
    "auto: every dump is looked into and has to be whole; raw: stored as it comes, whatever it is",
  ).choices(["auto", "raw"] as const).default("auto" as const);
}

/** What `--format` says, as a backup takes it. */
export function rawDumps({ format }: { readonly format: string }): { readonly rawDumps: boolean } {
  return { rawDumps: format === "raw" };
}
