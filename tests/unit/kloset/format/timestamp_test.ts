import { assertEquals } from "@std/assert";
import { dateFromNs, nsFromDate, ZERO_TIME_NS } from "../../../../src/kloset/format/mod.ts";

Deno.test("dateFromNs cuts to the millisecond before", () => {
  assertEquals(dateFromNs(1_700_000_000_123_999_999n).toISOString(), "2023-11-14T22:13:20.123Z");
  assertEquals(dateFromNs(-1n).getTime(), -1);
  assertEquals(dateFromNs(-1_000_000n).getTime(), -1);
});

Deno.test("dateFromNs keeps any time within what a Date can hold", () => {
  assertEquals(dateFromNs(10n ** 30n).getTime(), 8.64e15);
  assertEquals(dateFromNs(-(10n ** 30n)).getTime(), -8.64e15);
});

Deno.test("ZERO_TIME_NS is the year 1", () => {
  assertEquals(dateFromNs(ZERO_TIME_NS).toISOString(), "0001-01-01T00:00:00.000Z");
});

Deno.test("nsFromDate undoes dateFromNs for whole milliseconds", () => {
  assertEquals(nsFromDate(new Date(1234)), 1_234_000_000n);
  assertEquals(dateFromNs(nsFromDate(new Date(-5))).getTime(), -5);
});
