import { fileTypeOf, hasModeBit, ModeBit } from "./file_mode.ts";
import {
  type BelowSummary,
  type DirectorySummary,
  emptyBelowSummary,
  emptyDirectorySummary,
  type Summary,
} from "./summary.ts";

const NS_PER_SECOND = 1_000_000_000n;

/** What a summary needs to know of a child that is not a directory. */
export interface SummarizedFile {
  /** Go file mode. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly modTimeNs: bigint;
  /** Number of chunks of its object; `undefined` when it has none. */
  readonly chunks: number | undefined;
  /** MIME type. */
  readonly contentType: string;
  /** Bits per byte. */
  readonly entropy: number;
}

/** Below a directory: numbers that add up. */
const SUMS = [
  "directories",
  "files",
  "symlinks",
  "devices",
  "pipes",
  "sockets",
  "children",
  "setuid",
  "setgid",
  "sticky",
  "objects",
  "chunks",
  "size",
  "highEntropy",
  "lowEntropy",
  "mimeAudio",
  "mimeVideo",
  "mimeImage",
  "mimeText",
  "mimeApplication",
  "mimeOther",
  "errors",
] as const;
const MINIMA = ["minSize", "minModTime", "minEntropy"] as const;
const MAXIMA = ["maxSize", "maxModTime", "maxEntropy"] as const;

/**
 * Computes the summary of one directory from its children, in any order, as the Go library does.
 */
export class SummaryBuilder {
  readonly #directory: DirectorySummary = emptyDirectorySummary();
  readonly #below: BelowSummary = emptyBelowSummary();

  /** Counts a child that is not a directory. */
  addFile(file: SummarizedFile): void {
    const sums = this.#directory;
    sums.children++;
    sums[kindOf(file.mode)]++;
    if (hasModeBit(file.mode, ModeBit.SETUID)) sums.setuid++;
    if (hasModeBit(file.mode, ModeBit.SETGID)) sums.setgid++;
    if (hasModeBit(file.mode, ModeBit.STICKY)) sums.sticky++;
    if (file.chunks !== undefined) {
      sums.objects++;
      sums.chunks += file.chunks;
    }

    const modTime = Number(floorSeconds(file.modTimeNs));
    sums.minModTime = minimum(sums.minModTime, modTime);
    sums.maxModTime = maximum(sums.maxModTime, modTime);
    sums.minSize = minimum(sums.minSize, file.size);
    sums.maxSize = maximum(sums.maxSize, file.size);
    sums.size += file.size;
    sums.minEntropy = minimum(sums.minEntropy, file.entropy);
    sums.maxEntropy = maximum(sums.maxEntropy, file.entropy);
    sums.sumEntropy += file.entropy;
    if (file.entropy <= 2) sums.lowEntropy++;
    else if (file.entropy >= 7) sums.highEntropy++;
    const mime = mimeOf(file.contentType);
    if (mime !== undefined) sums[mime]++;
  }

  /** Counts a child directory with everything in it. */
  addDirectory(child: Summary): void {
    this.#directory.children++;
    this.#directory.directories++;
    const below = this.#below;
    for (const name of SUMS) below[name] += child.below[name] + child.directory[name];
    // First what lies deeper, then the child itself; a zero of either can win. Readers know it so.
    for (const name of MINIMA) {
      below[name] = minimum(minimum(below[name], child.below[name]), child.directory[name]);
    }
    for (const name of MAXIMA) {
      below[name] = maximum(maximum(below[name], child.below[name]), child.directory[name]);
    }
  }

  /** The summary of what was added. */
  finish(): Summary {
    const directory = { ...this.#directory };
    if (directory.files > 0) {
      directory.averageSize = Math.floor(directory.size / directory.files);
      directory.averageEntropy = directory.sumEntropy / directory.files;
    }
    return { directory, below: { ...this.#below } };
  }
}

/** The smaller one, where a current 0 counts as unset. */
function minimum(current: number, value: number): number {
  return current === 0 || value < current ? value : current;
}

/** The greater one, where a current 0 counts as unset. */
function maximum(current: number, value: number): number {
  return current === 0 || value > current ? value : current;
}

function floorSeconds(ns: bigint): bigint {
  const cut = ns / NS_PER_SECOND;
  return cut * NS_PER_SECOND > ns ? cut - 1n : cut;
}

function kindOf(mode: number): "files" | "symlinks" | "devices" | "pipes" | "sockets" {
  if (fileTypeOf(mode) === "symlink") return "symlinks";
  if (hasModeBit(mode, ModeBit.DEVICE)) return "devices";
  if (hasModeBit(mode, ModeBit.NAMED_PIPE)) return "pipes";
  return hasModeBit(mode, ModeBit.SOCKET) ? "sockets" : "files";
}

function mimeOf(contentType: string):
  | "mimeText"
  | "mimeImage"
  | "mimeAudio"
  | "mimeVideo"
  | "mimeApplication"
  | "mimeOther"
  | undefined {
  if (contentType === "") return undefined;
  if (contentType.startsWith("text/")) return "mimeText";
  if (contentType.startsWith("image/")) return "mimeImage";
  if (contentType.startsWith("audio/")) return "mimeAudio";
  if (contentType.startsWith("video/")) return "mimeVideo";
  return contentType.startsWith("application/") ? "mimeApplication" : "mimeOther";
}
