import { assertEquals } from "@std/assert";
import {
  emptyBelowSummary,
  emptyDirectorySummary,
  fileMode,
  ModeBit,
  type SummarizedFile,
  SummaryBuilder,
} from "../../../../src/kloset/format/mod.ts";

const SECOND = 1_000_000_000n;
const FILE: SummarizedFile = {
  mode: fileMode("file", 0o644),
  size: 100,
  modTimeNs: 50n * SECOND + 999_999_999n,
  chunks: 2,
  contentType: "application/octet-stream",
  entropy: 7.5,
};

Deno.test("SummaryBuilder counts one file", () => {
  const builder = new SummaryBuilder();
  builder.addFile(FILE);
  assertEquals(builder.finish(), {
    directory: {
      ...emptyDirectorySummary(),
      files: 1,
      children: 1,
      objects: 1,
      chunks: 2,
      minSize: 100,
      maxSize: 100,
      averageSize: 100,
      size: 100,
      minModTime: 50,
      maxModTime: 50,
      minEntropy: 7.5,
      maxEntropy: 7.5,
      sumEntropy: 7.5,
      averageEntropy: 7.5,
      highEntropy: 1,
      mimeApplication: 1,
    },
    below: emptyBelowSummary(),
  });
});

Deno.test("SummaryBuilder tells kinds, attributes, content classes and entropies apart", () => {
  const builder = new SummaryBuilder();
  const special = { ...FILE, chunks: undefined, entropy: 2, size: 0 };
  builder.addFile({ ...special, mode: ModeBit.SYMLINK + 0o777, contentType: "text/plain" });
  builder.addFile({ ...special, mode: ModeBit.DEVICE, contentType: "image/png" });
  builder.addFile({ ...special, mode: ModeBit.NAMED_PIPE, contentType: "audio/ogg" });
  builder.addFile({ ...special, mode: ModeBit.SOCKET, contentType: "video/mp4" });
  builder.addFile({ ...special, mode: ModeBit.IRREGULAR, contentType: "x/y" });
  builder.addFile({
    ...FILE,
    mode: ModeBit.SETUID + ModeBit.SETGID + ModeBit.STICKY,
    contentType: "",
    entropy: 5,
    modTimeNs: -1n,
    size: 7,
  });
  const { directory, below } = builder.finish();
  assertEquals(directory, {
    ...emptyDirectorySummary(),
    files: 2,
    symlinks: 1,
    devices: 1,
    pipes: 1,
    sockets: 1,
    children: 6,
    setuid: 1,
    setgid: 1,
    sticky: 1,
    objects: 1,
    chunks: 2,
    minSize: 7,
    maxSize: 7,
    averageSize: 3,
    size: 7,
    minModTime: -1,
    maxModTime: 50,
    minEntropy: 2,
    maxEntropy: 5,
    sumEntropy: 15,
    averageEntropy: 7.5,
    lowEntropy: 5,
    mimeText: 1,
    mimeImage: 1,
    mimeAudio: 1,
    mimeVideo: 1,
    mimeOther: 1,
  });
  assertEquals(below, emptyBelowSummary());
});

Deno.test("SummaryBuilder accumulates directories level by level", () => {
  const leaf = new SummaryBuilder();
  leaf.addFile(FILE);
  leaf.addFile({ ...FILE, size: 40, modTimeNs: 10n * SECOND, entropy: 1 });
  const middle = new SummaryBuilder();
  const { directory: files, below: deeper } = leaf.finish();
  middle.addDirectory({ directory: files, below: { ...deeper, errors: 1 } });
  middle.addFile({ ...FILE, size: 60 });
  const top = new SummaryBuilder();
  top.addDirectory(middle.finish());
  const { directory, below } = top.finish();
  assertEquals(directory, { ...emptyDirectorySummary(), directories: 1, children: 1 });
  assertEquals(below, {
    ...emptyBelowSummary(),
    directories: 1,
    files: 3,
    children: 4,
    objects: 3,
    chunks: 6,
    minSize: 40,
    maxSize: 100,
    size: 200,
    minModTime: 10,
    maxModTime: 50,
    minEntropy: 1,
    maxEntropy: 7.5,
    highEntropy: 2,
    lowEntropy: 1,
    mimeApplication: 3,
    errors: 1,
  });
});
