import { assert, assertEquals, assertThrows } from "@std/assert";
import { Kernels } from "../../../../src/kernels/mod.ts";
import { FormatError } from "../../../../src/kloset/format/mod.ts";
import { Codec } from "../../../../src/kloset/unit/mod.ts";
import type { Encoding } from "../../../../src/kloset/workers/mod.ts";
import { noise, prose } from "../../../faults/backups.ts";

const kernels = await Kernels.load();
const KEY = { key: new Uint8Array(32).fill(3), pieceBytes: 50 };
const ENCODINGS: Encoding[] = (["LZ4", "GZIP", undefined] as const).flatMap((compression) => [
  { compression, encryption: undefined },
  { compression, encryption: KEY },
]);

function nameOf({ compression, encryption }: Encoding): string {
  return `${compression ?? "not compressed"}, ${encryption ? "encrypted" : "plain"}`;
}

for (const encoding of ENCODINGS) {
  Deno.test(`Codec gives back what it was given (${nameOf(encoding)})`, () => {
    const codec = new Codec(kernels, encoding);
    for (const plain of [new Uint8Array(), noise(1, 1), noise(5000, 2), prose(100_000, 3)]) {
      const encoded = codec.encode(plain);
      assertEquals(codec.decode(encoded), plain);
      // What is encoded has bytes of its own.
      encoded.fill(0);
      assertEquals(codec.decode(codec.encode(plain)), plain);
    }
    const shrinks = codec.encode(prose(100_000, 3)).length < 90_000;
    assertEquals(shrinks, encoding.compression !== undefined);
  });

  if (encoding.compression === undefined && encoding.encryption === undefined) continue;
  Deno.test(`Codec tells damage as a FormatError (${nameOf(encoding)})`, () => {
    const codec = new Codec(kernels, encoding);
    const plain = prose(300, 1);
    const encoded = codec.encode(plain);
    let told = 0;
    for (let at = 0; at < encoded.length; at++) {
      try {
        codec.decode(encoded.with(at, encoded[at]! ^ 1));
      } catch (error) {
        assert(error instanceof FormatError, `${error}`);
        told++;
      }
    }
    // LZ4 and gzip have bytes that mean nothing; encryption leaves none unseen.
    assert(told > encoded.length / 2);
    if (encoding.encryption !== undefined) assertEquals(told, encoded.length);
    assertThrows(() => codec.decode(encoded.slice(0, encoded.length - 1)), FormatError);
  });
}

Deno.test("Codec does not decode with another key", () => {
  const [one, other] = [KEY.key, new Uint8Array(32).fill(4)].map((key) =>
    new Codec(kernels, { compression: "LZ4", encryption: { ...KEY, key } })
  );
  assertThrows(() => other!.decode(one!.encode(noise(100, 1))), FormatError);
});
