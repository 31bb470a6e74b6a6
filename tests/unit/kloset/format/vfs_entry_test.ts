import { assertEquals } from "@std/assert";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import {
  decodeVfsEntry,
  encodeVfsEntry,
  entryPath,
  fileMode,
  FormatError,
  macFromHex,
  macToHex,
  newFileInfo,
  newVfsEntry,
  SummaryBuilder,
  type VfsEntry,
} from "../../../../src/kloset/format/mod.ts";
import { blake3 } from "./_blake3.ts";
import {
  ENTROPY,
  FILE_ENTRY,
  FILE_ENTRY_MAC,
  hex,
  MAC_KEY,
  OBJECT_MAC,
  ROOT_ENTRY,
  ROOT_ENTRY_MAC,
  TIME_NS,
} from "./_vectors.ts";

const ROOT = newVfsEntry({
  parentPath: "/",
  fileInfo: newFileInfo({ name: "/", mode: fileMode("directory", 0o755), modTimeNs: TIME_NS }),
});

const FILE = newVfsEntry({
  parentPath: "/",
  fileInfo: newFileInfo({
    name: "prefect.dump",
    mode: fileMode("file", 0o644),
    modTimeNs: TIME_NS,
    size: 3_000_000,
  }),
  object: macFromHex(OBJECT_MAC),
  contentType: "application/octet-stream",
  entropy: ENTROPY,
  chunks: 1,
});

/** An entry with every field set. */
const FULL: VfsEntry = {
  ...FILE,
  fileInfo: {
    ...FILE.fileInfo,
    dev: 2n ** 64n - 1n,
    ino: 2n,
    uid: 1000n,
    gid: 1001n,
    nlink: 65535,
    username: "user",
    groupname: "group",
    flags: 1,
  },
  summary: new SummaryBuilder().finish(),
  symlinkTarget: "../target",
  alternateDataStreams: ["stream"],
  securityDescriptor: hex("0102"),
  fileAttributes: 0x20,
  extendedAttributes: ["user.a", "user.b"],
  classifications: [{
    analyzer: "analyzer",
    classes: ["one", "two"],
    scores: [{ key: "one", value: 0.5 }],
  }],
  customMetadata: [{ key: "key", value: hex("ff") }, { key: "nil", value: undefined }],
  tags: ["tag"],
};

Deno.test("encodeVfsEntry writes the bytes and ids that Go wrote", () => {
  const mac = blake3(MAC_KEY);
  assertEquals(encodeVfsEntry(ROOT), ROOT_ENTRY);
  assertEquals(encodeVfsEntry(FILE), FILE_ENTRY);
  assertEquals(macToHex(mac(ROOT_ENTRY)), ROOT_ENTRY_MAC);
  assertEquals(macToHex(mac(FILE_ENTRY)), FILE_ENTRY_MAC);
});

Deno.test("decodeVfsEntry reads the bytes that Go wrote", () => {
  assertEquals(decodeVfsEntry(ROOT_ENTRY), ROOT);
  assertEquals(decodeVfsEntry(FILE_ENTRY), FILE);
});

Deno.test("decodeVfsEntry undoes encodeVfsEntry for every field", () => {
  assertEquals(decodeVfsEntry(encodeVfsEntry(FULL)), FULL);
});

Deno.test("decodeVfsEntry reads a directory of version 1.0 with its summary inside", () => {
  const builder = new SummaryBuilder();
  builder.addFile({
    mode: FILE.fileInfo.mode,
    size: 5,
    modTimeNs: TIME_NS,
    chunks: 1,
    contentType: "",
    entropy: 0,
  });
  const directory = { ...ROOT, summary: builder.finish() };
  const decoded = decodeVfsEntry(encodeVfsEntry(directory));
  assertEquals(decoded, directory);
  assertEquals(decoded.summary?.directory.files, 1);
  assertEquals(ROOT.summary, undefined);
});

Deno.test("entryPath joins and cleans, also names that the Go tool wrote with a slash", () => {
  const path = (parentPath: string, name: string) =>
    entryPath(newVfsEntry({ parentPath, fileInfo: newFileInfo({ name, mode: 0 }) }));
  assertEquals(path("/", "/"), "/");
  assertEquals(path("/", "prefect.dump"), "/prefect.dump");
  assertEquals(path("/", "/prefect.dump"), "/prefect.dump");
  assertEquals(path("/a/b", "c"), "/a/b/c");
  assertEquals(path("/a", "../../../etc/passwd"), "/etc/passwd");
});

Deno.test("decodeVfsEntry survives damage", () => {
  assertFailsCleanly(FILE_ENTRY, decodeVfsEntry, FormatError);
  assertFailsCleanly(encodeVfsEntry(FULL), decodeVfsEntry, FormatError);
});
