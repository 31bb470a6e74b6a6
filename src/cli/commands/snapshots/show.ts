import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  describeSnapshot,
  formatLocalTime,
  formatSize,
  originFields,
  parseOriginTags,
  shortId,
  showOrigin,
  type SnapshotDescription,
} from "../../../infrahub/mod.ts";
import { writeJson } from "../../report/mod.ts";
import { openForSnapshots, type SessionProvider } from "../../session/mod.ts";

/** Adds `snapshots show`. */
export function addSnapshotsShow(snapshots: CommandUnknownOpts, session: SessionProvider): void {
  snapshots.command("show")
    .description("Show a snapshot: where it comes from, its tags and its files")
    .argument("<id>", "snapshot ID, or the beginning of it")
    .action(async (id) => {
      const current = session();
      await using repository = await openForSnapshots(current, "show");
      const description = await describeSnapshot(repository, id);
      if (current.json) writeJson(current, snapshotJson(description));
      else current.context.writeOut(snapshotText(description));
    });
}

/** A snapshot for people. */
function snapshotText({ header, entries, errors }: SnapshotDescription): string {
  const { importer } = header;
  const lines = [
    `Snapshot:  ${header.identifier}`,
    `Name:      ${header.name}`,
    `Date:      ${formatLocalTime(header.timestamp)}`,
    `Duration:  ${seconds(header.durationNs).toFixed(3)}s`,
    `Made of:   ${showOrigin(parseOriginTags(header.tags, importer.origin))}`,
    `Source:    ${importer.type}://${importer.origin}${importer.directory}`,
    "Tags:",
    ...header.tags.map((tag) => `  ${tag}`),
    "Entries:",
    ...entries.map((entry) => {
      const mode = entry.mode.toString(8).padStart(4, "0");
      const size = entry.type === "file" ? formatSize(entry.size) : "-";
      const target = entry.linkTarget === undefined ? "" : ` -> ${entry.linkTarget}`;
      return `  ${mode}  ${size.padStart(10)}  ${formatLocalTime(entry.mtime)}  ` +
        printable(entry.path + target);
    }),
    ...(errors.length > 0 ? ["Errors recorded when it was made:"] : []),
    ...errors.map(({ path, error }) => `  ${printable(path)}: ${printable(error)}`),
  ];
  return lines.join("\n") + "\n";
}

/** A snapshot for programs; sizes are in bytes. */
function snapshotJson({ header, entries, errors }: SnapshotDescription) {
  return {
    id: header.identifier,
    snapshot_id: shortId(header.identifier),
    name: header.name,
    date: formatLocalTime(header.timestamp),
    duration_seconds: seconds(header.durationNs),
    source: {
      type: header.importer.type,
      origin: header.importer.origin,
      directory: header.importer.directory,
    },
    origin: originFields(parseOriginTags(header.tags, header.importer.origin)),
    tags: header.tags,
    entries: entries.map((entry) => ({
      path: entry.path,
      type: entry.type,
      size: entry.size,
      mode: entry.mode.toString(8).padStart(4, "0"),
      mtime: entry.mtime.toISOString(),
      ...(entry.linkTarget === undefined ? {} : { link_target: entry.linkTarget }),
    })),
    errors,
  };
}

function seconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e9;
}

/** Names in a repository are anybody's: they must not move the terminal's cursor. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "\uFFFD");
}
