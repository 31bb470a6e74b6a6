import { assertEquals } from "@std/assert";
import {
  fileMode,
  type FileType,
  fileTypeOf,
  hasModeBit,
  ModeBit,
  permissionsOf,
} from "../../../../src/kloset/format/mod.ts";

Deno.test("fileMode writes Go's mode bits", () => {
  assertEquals(fileMode("directory", 0o755), 0x800001ed);
  assertEquals(fileMode("file", 0o644), 0x000001a4);
  assertEquals(fileMode("symlink", 0o777), 0x080001ff);
  assertEquals(fileMode("file", 0o107644), 0o644);
});

Deno.test("fileTypeOf and permissionsOf take a mode apart", () => {
  const cases: [mode: number, type: FileType][] = [
    [0, "file"],
    [ModeBit.SETUID + ModeBit.STICKY + ModeBit.APPEND, "file"],
    [ModeBit.DIRECTORY, "directory"],
    [ModeBit.DIRECTORY + ModeBit.STICKY, "directory"],
    [ModeBit.SYMLINK, "symlink"],
    [ModeBit.DEVICE, "other"],
    [ModeBit.DEVICE + ModeBit.CHAR_DEVICE, "other"],
    [ModeBit.CHAR_DEVICE, "other"],
    [ModeBit.NAMED_PIPE, "other"],
    [ModeBit.SOCKET, "other"],
    [ModeBit.IRREGULAR, "other"],
  ];
  for (const [mode, type] of cases) {
    assertEquals(fileTypeOf(mode + 0o751), type);
    assertEquals(permissionsOf(mode + 0o751), 0o751);
  }
});

Deno.test("hasModeBit sees the highest bit", () => {
  assertEquals(hasModeBit(0x800001ed, ModeBit.DIRECTORY), true);
  assertEquals(hasModeBit(0x7fffffff, ModeBit.DIRECTORY), false);
});
