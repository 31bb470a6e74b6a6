import { assertEquals } from "@std/assert";
import { defaultCacheDirectory } from "../../../../src/kloset/index/mod.ts";

const CASES: readonly {
  name: string;
  variables: Record<string, string>;
  want: string | undefined;
}[] = [
  {
    name: "prefers XDG_CACHE_HOME",
    variables: { XDG_CACHE_HOME: "/var/caches", HOME: "/home/me" },
    want: "/var/caches/tool",
  },
  {
    name: "drops trailing slashes",
    variables: { XDG_CACHE_HOME: "/var/caches//" },
    want: "/var/caches/tool",
  },
  {
    name: "accepts the root as home",
    variables: { HOME: "/" },
    want: "/.cache/tool",
  },
  {
    name: "ignores a relative XDG_CACHE_HOME",
    variables: { XDG_CACHE_HOME: "caches", HOME: "/home/me" },
    want: "/home/me/.cache/tool",
  },
  {
    name: "ignores an empty XDG_CACHE_HOME",
    variables: { XDG_CACHE_HOME: "", HOME: "/home/me" },
    want: "/home/me/.cache/tool",
  },
  { name: "ignores a relative HOME", variables: { HOME: "me" }, want: undefined },
  { name: "gives nothing without variables", variables: {}, want: undefined },
];

Deno.test("defaultCacheDirectory() follows the XDG rules", async (t) => {
  for (const { name, variables, want } of CASES) {
    await t.step(name, () => {
      assertEquals(defaultCacheDirectory("tool", (variable) => variables[variable]), want);
    });
  }
});
