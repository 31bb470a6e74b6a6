import { assertEquals, assertThrows } from "@std/assert";
import { DamagedDumpError } from "../../../../src/infrahub/errors.ts";
import {
  FrameWalker,
  parseDescriptor,
  parseFrameHeader,
} from "../../../../src/infrahub/dump/_zstd_frame.ts";
import { read } from "./_inspection.ts";

const frame = (...bytes: number[]) => new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, ...bytes]);

Deno.test("parseDescriptor() reads the layouts of RFC 8878, and refuses a reserved bit", () => {
  const rows: [number, [window: number, dictionary: number, contentSize: number, boolean]][] = [
    [0x00, [1, 0, 0, false]],
    [0x04, [1, 0, 0, true]],
    [0x20, [0, 0, 1, false]],
    [0x60, [0, 0, 2, false]],
    [0xa0, [0, 0, 4, false]],
    [0xc3, [1, 4, 8, false]],
    [0x02, [1, 2, 0, false]],
  ];
  for (const [descriptor, [window, dictionary, contentSize, hasChecksum]] of rows) {
    assertEquals(parseDescriptor(descriptor), { window, dictionary, contentSize, hasChecksum });
  }
  assertEquals(parseDescriptor(0x08), undefined);
});

Deno.test("parseFrameHeader() knows how much has to be kept to decode a frame", () => {
  // An exponent of 10 + 3 and a mantissa of 2: 8 KiB and two eighths of that.
  assertEquals(parseFrameHeader(frame(0x04, (3 << 3) | 2)), {
    headerBytes: 6,
    windowBytes: 8192 + 2048,
    hasChecksum: true,
    hasDictionary: false,
  });
  // A single segment: all of the content.
  assertEquals(parseFrameHeader(frame(0xa4, 1, 2, 0, 0))?.windowBytes, 513);
  assertEquals(parseFrameHeader(frame(0xa4, 1, 2, 0)), undefined);
  assertEquals(parseFrameHeader(new Uint8Array(18)), undefined);
});

Deno.test("FrameWalker finds the end of a frame that zstd has written", () => {
  const bytes = read("stream.zst");
  for (const pieceBytes of [1, 7, 4096]) {
    const header = parseFrameHeader(bytes.subarray(0, 18));
    if (header === undefined) throw new Error("the fixture is no frame");
    const walker = new FrameWalker(header);
    let at = 0;
    while (walker.checksum === undefined) {
      at += walker.advance(bytes.subarray(at, at + pieceBytes));
    }
    const stored = new DataView(bytes.buffer, bytes.byteOffset + at - 4).getUint32(0, true);
    assertEquals([at, walker.checksum], [bytes.byteLength, stored]);
  }
});

Deno.test("FrameWalker refuses a block of a kind that there is not, or that is too long", () => {
  const header = parseFrameHeader(frame(0x04, 0));
  if (header === undefined) throw new Error("this is a frame");
  const tooLong = (128 * 1024 + 1) << 3;
  for (const block of [3 << 1, tooLong]) {
    const walker = new FrameWalker(header);
    walker.advance(frame(0x04, 0));
    const bytes = new Uint8Array([block & 255, (block >> 8) & 255, block >> 16]);
    assertThrows(() => walker.advance(bytes), DamagedDumpError, "damaged zstd block");
  }
});
