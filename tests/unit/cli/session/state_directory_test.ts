import { assertEquals } from "@std/assert";
import { stateDirectory } from "../../../../src/cli/session/mod.ts";

Deno.test("stateDirectory() is systemd's, else that of the XDG Base Directory Specification", () => {
  const rows: [Record<string, string>, string | undefined][] = [
    [{}, undefined],
    [{ HOME: "relative", XDG_STATE_HOME: "relative" }, undefined],
    [{ HOME: "/home/me" }, "/home/me/.local/state/infrahub-backup"],
    [{ HOME: "/home/me", XDG_STATE_HOME: "/s/" }, "/s/infrahub-backup"],
    [{ HOME: "/h", XDG_STATE_HOME: "/s", STATE_DIRECTORY: "/var/lib/x:/var/lib/y" }, "/var/lib/x"],
  ];
  for (const [variables, expected] of rows) {
    assertEquals(stateDirectory((name) => variables[name]), expected, JSON.stringify(variables));
  }
});
