import { assertEquals, assertThrows } from "@std/assert";
import {
  formatDuration,
  InvalidDurationError,
  parseDuration,
} from "../../../src/environment/mod.ts";

Deno.test("parseDuration reads Go's notation", async (t) => {
  const rows: [string, number][] = [
    ["0", 0],
    ["30m", 1_800_000],
    ["1h30m", 5_400_000],
    ["1.5s", 1_500],
    [".5s", 500],
    ["200ms", 200],
    ["3us", 0.003],
    ["3µs", 0.003],
    ["+2s", 2_000],
  ];
  for (const [text, want] of rows) {
    await t.step(text, () => assertEquals(parseDuration(text), want));
  }
});

Deno.test("parseDuration refuses everything else with Go's words", async (t) => {
  const rows: [string, string][] = [
    ["300", 'time: missing unit in duration "300"'],
    ["1.5", 'time: missing unit in duration "1.5"'],
    ["", 'time: invalid duration ""'],
    ["soon", 'time: invalid duration "soon"'],
    ["5 m", 'time: invalid duration "5 m"'],
    ["5d", 'time: unknown unit "d" in duration "5d"'],
    ["-5s", 'time: negative duration "-5s"'],
  ];
  for (const [text, message] of rows) {
    await t.step(JSON.stringify(text), () => {
      assertThrows(() => parseDuration(text), InvalidDurationError, message);
    });
  }
});

Deno.test("formatDuration writes Go's notation", async (t) => {
  const rows: [number, string][] = [
    [0, "0s"],
    [200, "200ms"],
    [1_500, "1.5s"],
    [90_000, "1m30s"],
    [1_800_000, "30m0s"],
    [5_400_000, "1h30m0s"],
  ];
  for (const [value, want] of rows) {
    await t.step(want, () => assertEquals(formatDuration(value), want));
  }
});
