import { assertEquals, assertMatch } from "@std/assert";
import {
  chooseBackupId,
  formatBackupId,
  formatLocalTime,
  formatUtcTime,
} from "../../../src/infrahub/timestamp.ts";

Deno.test("formatBackupId is the local time", () => {
  assertEquals(formatBackupId(new Date(2026, 2, 8, 4, 5, 6)), "20260308_040506");
});

Deno.test("formatUtcTime has seconds and no more", () => {
  assertEquals(formatUtcTime(new Date("2026-03-18T14:30:02.987Z")), "2026-03-18T14:30:02Z");
});

Deno.test("formatLocalTime names the instant that it was given", () => {
  const date = new Date("2026-03-18T14:30:02Z");
  const text = formatLocalTime(date);
  assertMatch(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/);
  assertEquals(new Date(text).getTime(), date.getTime());
});

Deno.test("formatLocalTime shows the zone's offset", () => {
  class Elsewhere extends Date {
    override getTimezoneOffset = () => -330;
  }
  class West extends Date {
    override getTimezoneOffset = () => 210;
  }
  assertEquals(formatLocalTime(new Elsewhere(0)).slice(-6), "+05:30");
  assertEquals(formatLocalTime(new West(0)).slice(-6), "-03:30");
});

Deno.test("chooseBackupId takes the next free second", () => {
  const now = new Date(2026, 11, 31, 23, 59, 58);
  assertEquals(chooseBackupId(now, new Set()), "20261231_235958");
  const taken = new Set(["20261231_235958", "20261231_235959"]);
  assertEquals(chooseBackupId(now, taken), "20270101_000000");
});
