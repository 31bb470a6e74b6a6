import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  Kernels,
  Lz4Error,
  lz4FrameBound,
  Lz4OutputTooSmallError,
} from "../../../../src/kernels/mod.ts";

const kernels = await Kernels.load();

const MIB = 1024 ** 2;

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function u32(value: number): Uint8Array {
  return new Uint8Array([value, value >> 8, value >> 16, value >> 24]);
}

/** Bytes that do not compress, the same ones for the same seed. */
function noise(length: number, seed: number): Uint8Array {
  let x = seed * 2654435761 | 1;
  return new Uint8Array(length).map(() => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 11;
  });
}

function repeated(text: string, length: number): Uint8Array {
  const pattern = ascii(text);
  return new Uint8Array(length).map((_, index) => pattern[index % pattern.length]!);
}

/** XXH32, written apart from the kernel. */
function xxh32(bytes: Uint8Array): number {
  const [p1, p2, p3, p4, p5] = [2654435761, 2246822519, 3266489917, 668265263, 374761393];
  const rotate = (value: number, by: number) => (value << by) | (value >>> (32 - by));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let hash = p5;
  if (bytes.length >= 16) {
    const lanes = [p1 + p2, p2, 0, -p1];
    for (; at + 16 <= bytes.length; at += 16) {
      for (let lane = 0; lane < 4; lane += 1) {
        const word = view.getUint32(at + 4 * lane, true);
        lanes[lane] = Math.imul(rotate((lanes[lane]! + Math.imul(word, p2)) | 0, 13), p1);
      }
    }
    hash = [1, 7, 12, 18].reduce((sum, by, lane) => sum + rotate(lanes[lane]! | 0, by), 0);
  }
  hash = (hash + bytes.length) | 0;
  for (; at + 4 <= bytes.length; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(view.getUint32(at, true), p3)) | 0, 17), p4);
  }
  for (; at < bytes.length; at += 1) {
    hash = Math.imul(rotate((hash + Math.imul(bytes[at]!, p5)) | 0, 11), p1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), p2);
  hash = Math.imul(hash ^ (hash >>> 13), p3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A frame head: magic, the descriptor, its checksum byte. */
function head(flags: number, sizes: number, contentSize: number[] = []): Uint8Array {
  const descriptor = new Uint8Array([flags, sizes, ...contentSize]);
  return concat(
    fromHex("04224d18"),
    descriptor,
    new Uint8Array([(xxh32(descriptor) >> 8) & 0xff]),
  );
}

const INDEPENDENT = head(0x60, 0x70);
const LINKED = head(0x40, 0x40);
const END = u32(0);

function stored(bytes: Uint8Array): Uint8Array {
  return concat(u32(bytes.length | 0x80000000), bytes);
}

function block(bytes: Uint8Array): Uint8Array {
  return concat(u32(bytes.length), bytes);
}

/**
 * Decodes a frame of ours the slow way, and checks on the way what the format asks of writers:
 * a block's last five bytes are literals, no match starts in its last twelve bytes.
 */
function decodeSlowly(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  assertEquals(frame.subarray(0, 7), fromHex("04224d186470b9"));
  const out: number[] = [];
  let at = 7;
  for (;;) {
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) break;
    const end = at + (word & 0x7fffffff);
    const blockStart = out.length;
    let lastMatch = -Infinity;
    let lastMatchEnd = -Infinity;
    if (word >= 0x80000000) {
      while (at < end) out.push(frame[at++]!);
    }
    while (at < end) {
      const token = frame[at++]!;
      const readLength = (nibble: number) => {
        let length = nibble;
        if (nibble === 15) {
          let more: number;
          do length += more = frame[at++]!; while (more === 255);
        }
        return length;
      };
      for (let left = readLength(token >> 4); left > 0; left -= 1) out.push(frame[at++]!);
      if (at === end) break;
      const offset = view.getUint16(at, true);
      at += 2;
      assert(offset > 0 && offset <= out.length - blockStart);
      lastMatch = out.length;
      for (let left = readLength(token & 15) + 4; left > 0; left -= 1) {
        out.push(out[out.length - offset]!);
      }
      lastMatchEnd = out.length;
    }
    assertEquals(at, end);
    assert(out.length > blockStart, "an empty block");
    assert(out.length - blockStart <= 4 * MIB);
    assert(lastMatch <= out.length - 12);
    assert(lastMatchEnd <= out.length - 5);
  }
  const content = Uint8Array.from(out);
  assertEquals(view.getUint32(at, true), xxh32(content));
  assertEquals(at + 4, frame.length);
  return content;
}

const GUARD_BYTES = 64;

/**
 * Decodes into a target of exactly `capacity` bytes, with the frame and the target between guard
 * bytes that must not change.
 */
function decodeGuarded(frame: Uint8Array, capacity: number): Uint8Array {
  const source = kernels.allocate(frame.length + 2 * GUARD_BYTES);
  const target = kernels.allocate(capacity + 2 * GUARD_BYTES);
  try {
    kernels.bytes(source).fill(0xff);
    kernels.bytes(source).set(frame, GUARD_BYTES);
    const guards = [
      kernels.bytes(target, 0, GUARD_BYTES),
      kernels.bytes(target, GUARD_BYTES + capacity),
    ];
    for (const guard of guards) guard.fill(0xa5);
    const inner = { offset: target.offset + GUARD_BYTES, length: capacity };
    try {
      const end = GUARD_BYTES + frame.length;
      const length = kernels.lz4Decode(source, GUARD_BYTES, end, inner);
      return kernels.bytes(inner, 0, length).slice();
    } finally {
      for (const guard of guards) assert(guard.every((byte) => byte === 0xa5), "wrote outside");
    }
  } finally {
    kernels.free(target);
    kernels.free(source);
  }
}

/** Encodes into a target of exactly the bound, between guard bytes. */
function encodeGuarded(content: Uint8Array): Uint8Array {
  const bound = lz4FrameBound(content.length);
  const source = kernels.allocate(content.length);
  const target = kernels.allocate(bound + 2 * GUARD_BYTES);
  kernels.bytes(source).set(content);
  const guards = [
    kernels.bytes(target, 0, GUARD_BYTES),
    kernels.bytes(target, GUARD_BYTES + bound),
  ];
  for (const guard of guards) guard.fill(0xa5);
  const inner = { offset: target.offset + GUARD_BYTES, length: bound };
  const length = kernels.lz4Encode(source, 0, content.length, inner);
  for (const guard of guards) assert(guard.every((byte) => byte === 0xa5), "wrote outside");
  const frame = kernels.bytes(inner, 0, length).slice();
  kernels.free(target);
  kernels.free(source);
  return frame;
}

/** Like assertEquals, without its slow difference of large arrays. */
function assertSame(a: Uint8Array, b: Uint8Array): void {
  assertEquals(a.length, b.length);
  assertEquals(a.findIndex((byte, index) => byte !== b[index]), -1);
}

const GO_FRAMES = [
  { name: "empty", frame: "04224d186470b9 00000000 055dcc02", content: "" },
  {
    name: "empty, through a pipe",
    frame: "04224d186470b9 00000080 00000000 055dcc02",
    content: "",
  },
  {
    name: "hello world",
    frame: "04224d186470b9 0b000080 68656c6c6f20776f726c64 00000000 2266bbce",
    content: "hello world",
  },
  {
    name: "100 x a",
    frame: "04224d186470b9 14000000 1f61010041000200b06161616161616161616161 00000000 8b10e317",
    content: "a".repeat(100),
  },
];

Deno.test("Kernels.lz4Decode() reads frames of the Go library", async (t) => {
  for (const { name, frame, content } of GO_FRAMES) {
    await t.step(name, () => {
      assertEquals(decodeGuarded(fromHex(frame), content.length), ascii(content));
      assertEquals(decodeGuarded(fromHex(frame), content.length + 1000), ascii(content));
    });
  }
});

// Written by the lz4 program, version 1.9.4, from 70,000 bytes of this text, with these flags.
const PROGRAM_TEXT = "pack my box with five dozen liquor jugs; ";
const PROGRAM_FRAMES = [
  {
    flags: "-B4 -BD",
    frame:
      "04224d1844405e34010000ff1a7061636b206d7920626f782077697468206669766520646f7a656e206c6971756f72206a7567733b202900ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffbf5069746820661b0000000feeffffffffffffffffffffffffffffffffffff6950626f7820770000000030a25866",
  },
  {
    flags: "-B4 -BD -BX --content-size",
    frame:
      "04224d185c407011010000000000e334010000ff1a7061636b206d7920626f782077697468206669766520646f7a656e206c6971756f72206a7567733b202900ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffbf5069746820661c3e64081b0000000feeffffffffffffffffffffffffffffffffffff6950626f78207733909c9a0000000030a25866",
  },
  {
    flags: "-B5 --no-frame-crc",
    frame:
      "04224d186050fb46010000ff1a7061636b206d7920626f782077697468206669766520646f7a656e206c6971756f72206a7567733b202900ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff4150626f78207700000000",
  },
  {
    flags: "-B6 --content-size",
    frame:
      "04224d186c507011010000000000d446010000ff1a7061636b206d7920626f782077697468206669766520646f7a656e206c6971756f72206a7567733b202900ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff4150626f7820770000000030a25866",
  },
];

Deno.test("Kernels.lz4Decode() reads frames of the lz4 program", async (t) => {
  for (const { flags, frame } of PROGRAM_FRAMES) {
    await t.step(flags, () => {
      assertSame(decodeGuarded(fromHex(frame), 70_000), repeated(PROGRAM_TEXT, 70_000));
      assertThrows(() => decodeGuarded(fromHex(frame), 69_999), Lz4OutputTooSmallError);
    });
  }
});

Deno.test("Kernels.lz4Encode() writes the frames of the Go library for short content", () => {
  assertEquals(kernels.compress(new Uint8Array()), fromHex(GO_FRAMES[0]!.frame));
  assertEquals(kernels.compress(ascii("hello world")), fromHex(GO_FRAMES[2]!.frame));
});

Deno.test("Kernels.lz4Encode() output decodes to the content", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.tuple(fc.nat(3000), fc.nat()).map(([length, seed]) => noise(length, seed)),
    fc.tuple(fc.string({ minLength: 1, maxLength: 40 }), fc.nat(3000))
      .map(([text, length]) => repeated(text, length)),
    fc.tuple(fc.nat(255), fc.nat(700)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
    fc.nat(400).map((length) => repeated("the quick brown fox ", length)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const content = concat(...pieces);
      const frame = encodeGuarded(content);
      assertSame(decodeSlowly(frame), content);
      assertSame(decodeGuarded(frame, content.length), content);
      assertSame(decodeGuarded(frame, content.length + 7), content);
    }),
    { numRuns: 200 },
  );
});

Deno.test("Kernels.lz4Encode() output decodes at the borders of window and block", async (t) => {
  const sizes = [1, 12, 13, 14, 65_534, 65_535, 65_536, 65_537, 65_550, 200_000];
  for (const border of [4 * MIB, 8 * MIB]) {
    for (const more of [-1, 0, 1, 12, 13]) sizes.push(border + more);
  }
  const kinds: { name: string; make: (length: number) => Uint8Array }[] = [
    { name: "noise", make: (length) => noise(length, length) },
    { name: "one byte", make: (length) => new Uint8Array(length).fill(120) },
    { name: "text", make: (length) => repeated("It was a dark and stormy night. ", length) },
    {
      name: "noise again after 65,535 bytes",
      make: (length) => {
        const once = noise(65_535, 5);
        return new Uint8Array(length).map((_, index) => once[index % 65_535]!);
      },
    },
    {
      name: "noise again after 65,536 bytes",
      make: (length) => {
        const once = noise(65_536, 5);
        return new Uint8Array(length).map((_, index) => once[index % 65_536]!);
      },
    },
  ];
  for (const { name, make } of kinds) {
    await t.step(name, () => {
      for (const length of sizes) {
        const content = make(length);
        const frame = encodeGuarded(content);
        assertSame(decodeGuarded(frame, length), content);
        if (length <= 200_000) assertSame(decodeSlowly(frame), content);
      }
    });
  }
});

Deno.test("Kernels.lz4Encode() stores what does not shrink, and shrinks what can", () => {
  const random = noise(100_000, 1);
  assertEquals(
    encodeGuarded(random),
    concat(
      fromHex("04224d186470b9"),
      stored(random),
      END,
      u32(xxh32(random)),
    ),
  );
  assertEquals(encodeGuarded(noise(4 * MIB + 1, 1)).length, lz4FrameBound(4 * MIB + 1));
  assert(encodeGuarded(new Uint8Array(100_000)).length < 500);
  assert(encodeGuarded(repeated(PROGRAM_TEXT, 100_000)).length < 600);
});

Deno.test("Kernels.lz4Encode() needs a target of the bound", () => {
  const source = kernels.allocate(1000);
  const target = kernels.allocate(lz4FrameBound(1000) - 1);
  assertThrows(() => kernels.lz4Encode(source, 0, 1000, target), RangeError, "are needed");
  kernels.free(target);
  kernels.free(source);
});

/** Frames with a content checksum, for damage. */
const SOUND = [
  ...GO_FRAMES.map(({ frame, content }) => ({ frame: fromHex(frame), content: ascii(content) })),
  ...[
    ascii("hello, hello, hello, hello world! hello, hello again"),
    concat(noise(40, 3), repeated("abcabcabd", 300), new Uint8Array(50)),
    concat(new Uint8Array(400), repeated("0123456789abcdef", 400), new Uint8Array(20)),
  ].map((content) => ({ frame: kernels.compress(content), content })),
];

Deno.test("Kernels.lz4Decode() refuses a frame cut at any byte", () => {
  for (const { frame, content } of SOUND) {
    for (let length = 0; length < frame.length; length += 1) {
      const error = assertThrows(
        () => decodeGuarded(frame.subarray(0, length), content.length),
        Lz4Error,
      );
      assert(!(error instanceof Lz4OutputTooSmallError), `cut at ${length}`);
    }
  }
});

Deno.test("Kernels.lz4Decode() never gives other data for a frame with a flipped bit", () => {
  let refused = 0;
  for (const { frame, content } of SOUND) {
    for (let bit = 0; bit < frame.length * 8; bit += 1) {
      const damaged = frame.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      for (const capacity of [content.length, content.length + 5000]) {
        try {
          // Some bits matter to nobody: a match may have another place to copy the same bytes from.
          assertEquals(decodeGuarded(damaged, capacity), content);
        } catch (error) {
          assertInstanceOf(error, Lz4Error);
          refused += 1;
        }
      }
    }
  }
  const bits = SOUND.reduce((sum, { frame }) => sum + frame.length * 16, 0);
  assert(refused > 0.9 * bits, `${refused} of ${bits} refused`);
});

Deno.test("Kernels.lz4Decode() refuses arbitrary blocks or stays inside its target", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(INDEPENDENT, LINKED),
      fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ minLength: 1, maxLength: 60 })), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.nat(2000),
      (start, blocks, capacity) => {
        const parts = blocks.map(([plain, bytes]) => plain ? stored(bytes) : block(bytes));
        try {
          assert(decodeGuarded(concat(start, ...parts, END), capacity).length <= capacity);
        } catch (error) {
          assertInstanceOf(error, Lz4Error);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("Kernels.lz4Decode() tells a small target from damage", () => {
  for (const { frame, content } of SOUND) {
    for (let capacity = 0; capacity < content.length; capacity += 1) {
      assertThrows(() => decodeGuarded(frame, capacity), Lz4OutputTooSmallError);
    }
  }
});

Deno.test("Kernels.lz4Decode() accepts what the format allows", async (t) => {
  const abc = ascii("abcdefgh");
  // Two literals, a match of 10 bytes 8 back, five literals.
  const reaching = fromHex("26 5859 0800 50 3132333435");
  const cases = [
    { name: "no block", frame: concat(INDEPENDENT, END), content: "" },
    {
      name: "stored blocks of no length between others",
      frame: concat(INDEPENDENT, stored(abc), stored(ascii("")), stored(abc), END),
      content: "abcdefghabcdefgh",
    },
    {
      name: "a match into the block before, in linked blocks",
      frame: concat(LINKED, stored(abc), block(reaching), END),
      content: "abcdefghXYcdefghXYcd12345",
    },
    {
      name: "content size and checksum",
      frame: concat(
        head(0x6c, 0x50, [8, 0, 0, 0, 0, 0, 0, 0]),
        stored(abc),
        END,
        u32(xxh32(abc)),
      ),
      content: "abcdefgh",
    },
    {
      name: "block checksums",
      frame: concat(head(0x70, 0x60), stored(abc), u32(xxh32(abc)), END),
      content: "abcdefgh",
    },
  ];
  for (const { name, frame, content } of cases) {
    await t.step(name, () => {
      assertEquals(decodeGuarded(frame, content.length), ascii(content));
    });
  }
});

Deno.test("Kernels.lz4Decode() refuses what the format does not allow", async (t) => {
  const abc = ascii("abcdefgh");
  const size = (length: number) => [length, 0, 0, 0, 0, 0, 0, 0];
  const cases: [string, Uint8Array][] = [
    ["nothing", new Uint8Array()],
    ["another magic", concat(fromHex("02214c18"), stored(abc), END)],
    ["a skippable frame", fromHex("502a4d18 04000000 00000000")],
    ["version 00", concat(head(0x20, 0x70), stored(abc), END)],
    ["version 10", concat(head(0xa0, 0x70), stored(abc), END)],
    ["reserved flag", concat(head(0x62, 0x70), stored(abc), END)],
    ["dictionary", concat(head(0x61, 0x70, [1, 0, 0, 0]), stored(abc), END)],
    ["reserved low bits of the block size", concat(head(0x60, 0x71), stored(abc), END)],
    ["reserved high bit of the block size", concat(head(0x60, 0xf0), stored(abc), END)],
    ["block size code 3", concat(head(0x60, 0x30), stored(abc), END)],
    ["block size code 0", concat(head(0x60, 0x00), stored(abc), END)],
    ["wrong header checksum", concat(fromHex("04224d18 60 70 00"), stored(abc), END)],
    ["content size too large", concat(head(0x68, 0x70, size(9)), stored(abc), END)],
    ["content size too small", concat(head(0x68, 0x70, size(7)), stored(abc), END)],
    ["wrong content checksum", concat(head(0x64, 0x70), stored(abc), END, u32(1))],
    ["wrong block checksum", concat(head(0x70, 0x60), stored(abc), u32(1), END)],
    ["no end mark", concat(INDEPENDENT, stored(abc))],
    ["a byte after the end", concat(INDEPENDENT, stored(abc), END, ascii("x"))],
    ["a second frame", concat(INDEPENDENT, stored(abc), END, INDEPENDENT, END)],
    ["stored block over the block size", concat(LINKED, stored(noise(65_537, 1)), END)],
    ["offset 0", concat(INDEPENDENT, block(fromHex("11 61 0000 50 6161616161")), END)],
    [
      "match before the first byte",
      concat(INDEPENDENT, block(fromHex("11 61 0200 50 6161616161")), END),
    ],
    [
      "match before the first byte of linked blocks",
      concat(LINKED, stored(ascii("abcde")), block(fromHex("26 5859 0800 50 3132333435")), END),
    ],
    [
      "match into the block before, in independent blocks",
      concat(INDEPENDENT, stored(abc), block(fromHex("26 5859 0800 50 3132333435")), END),
    ],
    ["block that ends with a match", concat(INDEPENDENT, block(fromHex("11 61 0100")), END)],
    ["block that ends in an offset", concat(INDEPENDENT, block(fromHex("11 61 01")), END)],
    ["more literals than the block has", concat(INDEPENDENT, block(fromHex("50 61626364")), END)],
    ["literal length without end", concat(INDEPENDENT, block(fromHex("f0 ffffff")), END)],
    ["match length without end", concat(INDEPENDENT, block(fromHex("1f 61 0100 ffffff")), END)],
    [
      "block that grows over the block size",
      concat(
        LINKED,
        block(
          concat(fromHex("1f 61 0100"), new Uint8Array(300).fill(255), fromHex("00 50 6161616161")),
        ),
        END,
      ),
    ],
  ];
  for (const [name, frame] of cases) {
    await t.step(name, () => {
      const error = assertThrows(() => decodeGuarded(frame, 100_000), Lz4Error);
      assert(!(error instanceof Lz4OutputTooSmallError), "taken for a small target");
    });
  }
});
