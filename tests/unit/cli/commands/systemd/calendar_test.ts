import { assertEquals } from "@std/assert";
import { isCalendar } from "../../../../../src/cli/commands/systemd/calendar.ts";

Deno.test("without systemd, only what is certainly a calendar expression is taken", () => {
  for (
    const expression of [
      "daily",
      "Weekly",
      "hourly UTC",
      "02:30",
      "*-*-* 02:00",
      "Mon..Fri *-*-* 02:30",
      "Sat,Sun 12:00:05",
      "*-*-01,15 04:00 Europe/Berlin",
      "*:0/15",
      "2026-01-*",
      "monday",
      "Mon *-05~03/1",
    ]
  ) assertEquals(isCalendar(expression), true, expression);
  for (
    const expression of [
      "",
      "evry day",
      "dayly",
      "daily 02:00",
      "02:30 Mon",
      "every day at two",
      "UTC",
      "2:",
      "* * * * *",
      "*-*-* 02:00 *-*-*",
    ]
  ) assertEquals(isCalendar(expression), false, expression);
});
