import { assertEquals } from "@std/assert";
import {
  assert as property,
  double,
  maxSafeInteger,
  maxSafeNat,
  property as forAll,
  record,
} from "fast-check";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import {
  decodeSummary,
  emptyBelowSummary,
  emptyDirectorySummary,
  encodeSummary,
  fileMode,
  FormatError,
  type SummarizedFile,
  SummaryBuilder,
} from "../../../../src/kloset/format/mod.ts";
import { hex } from "./_vectors.ts";

const SECOND = 1_000_000_000n;
const FILE: SummarizedFile = {
  mode: fileMode("file", 0o644),
  size: 100,
  modTimeNs: 50n * SECOND + 999_999_999n,
  chunks: 2,
  contentType: "application/octet-stream",
  entropy: 7.5,
};

Deno.test("encodeSummary leaves zeros out, but for the errors below", () => {
  assertEquals(
    encodeSummary(new SummaryBuilder().finish()),
    hex("81 a5 62656c6f77 81 a6 6572726f7273 cf0000000000000000"),
  );
  const builder = new SummaryBuilder();
  builder.addDirectory(new SummaryBuilder().finish());
  assertEquals(
    encodeSummary(builder.finish()),
    hex(`82 a9 6469726563746f7279 82 ab 6469726563746f72696573 cf0000000000000001
      a8 6368696c6472656e cf0000000000000001 a5 62656c6f77 81 a6 6572726f7273 cf0000000000000000`),
  );
});

Deno.test("encodeSummary writes times as signed and entropies as floating point numbers", () => {
  const directory = { ...emptyDirectorySummary(), minModTime: -1, maxEntropy: 1.5 };
  assertEquals(
    encodeSummary({ directory, below: emptyBelowSummary() }),
    hex(`82 a9 6469726563746f7279 82 ac 6d696e5f6d6f645f74696d65 d3ffffffffffffffff
      ab 6d61785f656e74726f7079 cb3ff8000000000000
      a5 62656c6f77 81 a6 6572726f7273 cf0000000000000000`),
  );
});

Deno.test("decodeSummary undoes encodeSummary for every field", () => {
  // A zero of either sign is left out, and reads back as the plain zero.
  const float = double().map((value) => value === 0 ? 0 : value);
  const numbers = record({
    ...Object.fromEntries(Object.keys(emptyDirectorySummary()).map((name) => [name, maxSafeNat()])),
    minModTime: maxSafeInteger(),
    maxModTime: maxSafeInteger(),
    minEntropy: float,
    maxEntropy: float,
    sumEntropy: float,
    averageEntropy: float,
  });
  property(forAll(numbers, numbers, (a, b) => {
    const directory = { ...emptyDirectorySummary(), ...a };
    const { averageSize: _1, sumEntropy: _2, averageEntropy: _3, ...below } = {
      ...emptyDirectorySummary(),
      ...b,
    };
    const summary = { directory, below };
    assertEquals(decodeSummary(encodeSummary(summary)), summary);
  }));
});

Deno.test("decodeSummary survives damage", () => {
  const builder = new SummaryBuilder();
  builder.addFile(FILE);
  assertFailsCleanly(encodeSummary(builder.finish()), decodeSummary, FormatError);
});
