import { assertEquals } from "@std/assert";
import { CommandFailedError } from "../../../../src/environment/command/command_failed_error.ts";

function messageWith(stderrTail?: string): string {
  return new CommandFailedError({
    argv: ["pg_dump", "-d", "two words"],
    problem: "exited with code 1",
    ...(stderrTail === undefined ? {} : { stderrTail }),
  }).message;
}

Deno.test("CommandFailedError names the command, and what it said", () => {
  const start = `command "pg_dump -d 'two words'" exited with code 1`;
  assertEquals(messageWith(), start);
  assertEquals(messageWith(" \n"), start);
  assertEquals(messageWith("no such table\n"), `${start}; stderr: no such table`);
  assertEquals(messageWith("one\ntwo\n"), `${start}; stderr:\none\ntwo`);
});
