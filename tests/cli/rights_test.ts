/** What commands may do while they work, with the program run from its sources. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { NEEDS } from "../../src/cli/commands/rights.ts";
import { PERMISSIONS } from "../../scripts/tool.ts";
import { probe, PROBED, type Prober } from "./_probed.ts";

const PROBE = new URL("../compiled/probe.ts", import.meta.url).pathname;

function prober(folder: string): Prober {
  return {
    folder,
    run: async (args) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", ...PERMISSIONS, PROBE, ...args],
        cwd: folder,
        env: {
          INFRAHUB_REPO: `${folder}/repository`,
          INFRAHUB_CACHE_DIR: `${folder}/cache`,
          XDG_STATE_HOME: `${folder}/state`,
        },
        stdin: "null",
      }).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { code, stdout: text(stdout), stderr: text(stderr) };
    },
  };
}

Deno.test("no command may do what it does not need", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "rights_" });
  try {
    await Deno.writeTextFile(`${folder}/dump`, "some bytes\n");
    for (const probed of PROBED) {
      await t.step(probed.args.join(" "), () => probe(prober(folder), probed));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("every command is probed", () => {
  const isProbed = (route: string) =>
    PROBED.some(({ args }) =>
      args.filter((one) => !one.startsWith("-")).join(" ").startsWith(route)
    );
  assertEquals([...NEEDS.keys()].filter((route) => !isProbed(route)), []);
});

Deno.test("a log of everything tells what was given up", async () => {
  const folder = await Deno.makeTempDir({ prefix: "rights_" });
  try {
    const { stderr } = await prober(folder).run(["version", "--log-level=debug"]);
    assertStringIncludes(
      stderr,
      "Given up for the rest of the run: run, net, write, env, sys, ffi",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
