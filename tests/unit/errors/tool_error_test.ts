import { assert, assertEquals } from "@std/assert";
import { hintOf, ToolError } from "../../../src/errors/mod.ts";
import { CommandFailedError } from "../../../src/environment/mod.ts";
import { LockedError, WrongPassphraseError } from "../../../src/kloset/mod.ts";
import { InvalidInputError } from "../../../src/infrahub/mod.ts";
import { InterruptedError } from "../../../src/cli/mod.ts";
import { DamagedArchiveError } from "../../../src/archive/mod.ts";

Deno.test("ToolError is named after its class, fails with 1 and is not tried again", () => {
  class LostError extends ToolError {}
  const cause = new TypeError("why");
  const { name, message, exitCode, retryable, hint, cause: kept } = new LostError("gone", {
    cause,
  });
  assertEquals([name, message, exitCode, retryable, hint], [
    "LostError",
    "gone",
    1,
    false,
    undefined,
  ]);
  assert(kept === cause);
});

Deno.test("ToolError is the base of the errors of every layer", () => {
  const rows: [ToolError, string, number, boolean][] = [
    [new WrongPassphraseError("no"), "WrongPassphraseError", 1, false],
    [new LockedError("wait"), "LockedError", 1, true],
    [new InvalidInputError("no"), "InvalidInputError", 1, false],
    [new DamagedArchiveError("cut"), "DamagedArchiveError", 1, false],
    [new InterruptedError("SIGTERM", 143), "InterruptedError", 143, false],
    // What another program exited with is not what this one exits with.
    [
      new CommandFailedError({ argv: ["pg_dump"], problem: "exited", exitCode: 12 }),
      "CommandFailedError",
      1,
      false,
    ],
  ];
  for (const [error, name, exitCode, retryable] of rows) {
    assert(error instanceof ToolError, name);
    assertEquals([error.name, error.exitCode, error.retryable], [name, exitCode, retryable]);
  }
});

Deno.test("hintOf finds the nearest hint among an error and its causes", () => {
  const inner = new ToolError("inner", { hint: "look inside" });
  const between = new Error("between", { cause: inner });
  assertEquals(hintOf(new ToolError("outer", { cause: between })), "look inside");
  assertEquals(hintOf(new ToolError("outer", { cause: between, hint: "look here" })), "look here");
  assertEquals(hintOf(new ToolError("outer")), undefined);
  assertEquals(hintOf("text"), undefined);
});
