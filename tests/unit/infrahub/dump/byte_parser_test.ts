import { assertEquals, assertThrows } from "@std/assert";
import {
  ByteFeeder,
  type ByteParser,
  ParseProblem,
} from "../../../../src/infrahub/dump/_byte_parser.ts";
import { DamagedDumpError } from "../../../../src/infrahub/errors.ts";

/** A length, so many bytes, two bytes that end it; and again, as long as there is more. */
function* parse(): ByteParser<string[]> {
  const found: string[] = [];
  do {
    const [length = 0] = yield { kind: "take", length: 1, what: "a length" };
    if (length > 9) throw new ParseProblem(`has a length of ${length}`);
    yield { kind: "skip", length, what: "a body" };
    const end = yield { kind: "take", length: 2, what: "a mark" };
    found.push(end.join());
  } while ((yield { kind: "more" }).byteLength > 0);
  return found;
}

function feed(bytes: number[], pieceBytes: number): string[] {
  const feeder = new ByteFeeder("the thing", parse());
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    feeder.observe(new Uint8Array(bytes.slice(at, at + pieceBytes)));
  }
  return feeder.finish();
}

Deno.test("ByteFeeder gives a parser what it asks for, however the bytes arrive", () => {
  const bytes = [3, 0, 0, 0, 7, 8, 0, 5, 6, 1, 0, 1, 2];
  for (let pieceBytes = 1; pieceBytes <= bytes.length; pieceBytes++) {
    assertEquals(feed(bytes, pieceBytes), ["7,8", "5,6", "1,2"]);
  }
});

Deno.test("ByteFeeder says where a thing is cut off or damaged", () => {
  const rows: [number[], string][] = [
    [[], "the thing is empty"],
    [[3, 0], "the thing is cut off inside a body (at byte 2)"],
    [[0, 7], "the thing is cut off inside a mark (at byte 2)"],
    [[0, 7, 8, 10, 0], "the thing has a length of 10 (at byte 4)"],
  ];
  for (const [bytes, message] of rows) {
    for (const pieceBytes of [1, 99]) {
      const error = assertThrows(() => feed(bytes, pieceBytes), DamagedDumpError);
      assertEquals(error.message, message);
    }
  }
});

Deno.test("ByteFeeder takes bytes after the end for damage", () => {
  function* one(): ByteParser<number> {
    return (yield { kind: "take", length: 1, what: "a byte" }).byteLength;
  }
  const feeder = new ByteFeeder("the thing", one());
  assertThrows(
    () => feeder.observe(new Uint8Array([1, 2])),
    DamagedDumpError,
    "the thing has bytes after its end (at byte 1)",
  );
});
