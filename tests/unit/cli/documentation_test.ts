/** What the documentation shows, against the program. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { generatedFiles, MANUAL, SCRIPTING } from "../../../scripts/docs.ts";
import { ROOT } from "../../../scripts/tool.ts";
import { allCommands } from "../../../src/cli/syntax/command_line.ts";
import { defaultCommandOf } from "../../../src/cli/syntax/default_command.ts";
import { examplesOf } from "../../../src/cli/syntax/examples.ts";
import * as exitCodes from "../../../src/cli/process/exit_codes.ts";
import { METRICS } from "../../../src/cli/report/metrics.ts";
import { commandPath } from "../../../src/cli/syntax/menu.ts";
import { run } from "../../../src/cli/mod.ts";
import { createProgram } from "../../../src/cli/program.ts";
import { codeBlocks, requireParses, shellCommands, toolCalls } from "./_documentation.ts";
import { recordingContext } from "./_support.ts";

/** All pages, from the root. */
const PAGES: readonly string[] = [
  "README.md",
  ...[...Deno.readDirSync(`${ROOT}docs`)].map(({ name }) => `docs/${name}`)
    .filter((path) => path.endsWith(".md")).sort(),
];

const read = (path: string) => Deno.readTextFile(`${ROOT}${path}`);

Deno.test("shellCommands takes a script apart as a shell would", () => {
  assertEquals(
    shellCommands(`a --b 'c d' "e \\"f" \\
  g  # comment 'x
h | i "$(j)"; k=1 l > m 2>&1 && (n <o)`),
    [["a", "--b", "c d", 'e "f', "g"], ["h"], ["i", "$(j)"], ["k=1", "l"], ["n"]],
  );
  assertEquals(
    toolCalls("X=1 /media/infrahub-backup a b | infrahub-backup c\necho infrahub-backup"),
    [
      ["a", "b"],
      ["c"],
    ],
  );
});

Deno.test("a command line that is not the program's is noticed", async (t) => {
  const rows: [string, string][] = [
    ["snapshots lst", "unknown command"],
    ["create --no-such-flag", "unknown flag"],
    ["create form-files", "unknown command"],
    ["create from-files", "required flag"],
    ["snapshots show", "missing required argument"],
    ["create --wait-timeout 5", "invalid argument"],
    ["bogus", "unknown command"],
  ];
  for (const [line, message] of rows) {
    await t.step(line, async () => {
      await assertRejects(() => requireParses(line.split(" ")), Error, message);
    });
  }
  await requireParses(["snapshots", "list", "--repo", "x"]);
  await requireParses(["create", "--help"]);
});

Deno.test("every command in the documentation is one that the program takes", async (t) => {
  let calls = 0;
  for (const page of PAGES) {
    await t.step(page, async () => {
      for (const { text, line } of codeBlocks(await read(page))) {
        for (const argv of toolCalls(text)) {
          calls++;
          await requireParses(argv).catch((error: unknown) => {
            throw new Error(`${page}:${line}: infrahub-backup ${argv.join(" ")}`, { cause: error });
          });
        }
      }
    });
  }
  assert(calls > 30, `only ${calls} calls were found`);
});

Deno.test("the copy of a repository to a medium can be made again, and is the same", async () => {
  const page = await read("docs/air-gap.md");
  const [command = ""] = /^cp -R .*$/m.exec(page) ?? [];
  const folder = await Deno.makeTempDir({ prefix: "copy_" });
  try {
    await Deno.mkdir(`${folder}/var/backups/infrahub/packfiles`, { recursive: true });
    await Deno.mkdir(`${folder}/media/transfer`, { recursive: true });
    await Deno.writeTextFile(`${folder}/var/backups/infrahub/CONFIG`, "x");
    const script = command.replaceAll(/ \/(?=var|media)/g, ` ${folder}/`);
    for (let time = 0; time < 2; time++) {
      const { code } = await new Deno.Command("sh", { args: ["-c", script] }).output();
      assertEquals(code, 0, script);
      const names = [...Deno.readDirSync(`${folder}/media/transfer/infrahub`)];
      assertEquals(names.map(({ name }) => name).sort(), ["CONFIG", "packfiles"]);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("every deno task in the documentation is one, and takes no unknown script", async () => {
  const { tasks } = JSON.parse(await read("deno.json"));
  let count = 0;
  for (const page of PAGES) {
    for (const { text } of codeBlocks(await read(page))) {
      for (const words of shellCommands(text)) {
        const at = words.findIndex((word) => /^deno(@[\d.]+)?$/.test(word));
        if (at < 0) continue;
        count++;
        const [kind, name = ""] = words.slice(at + 1);
        if (kind === "task") assert(name in tasks, `${page}: no task ${name}`);
        const script = words.find((word) => /^(scripts|tests|bench)\/.*\.ts$/.test(word));
        if (script !== undefined) await Deno.stat(`${ROOT}${script}`);
      }
    }
  }
  assert(count > 0);
});

Deno.test("links between pages, and to files, lead somewhere", async () => {
  for (const page of PAGES) {
    for (const [, target = ""] of (await read(page)).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const path = new URL(target, `file://${ROOT}${page}`).pathname;
      await Deno.stat(path).catch((error: unknown) => {
        throw new Error(`${page} links to ${target}`, { cause: error });
      });
    }
  }
});

Deno.test("generated parts are up to date", async () => {
  for (const [path, content] of await generatedFiles()) {
    assertEquals(await read(path), content, `${path}: run "deno task docs"`);
  }
});

Deno.test("exit codes are those of one file, in the page, the manual and the help", async () => {
  const constants = Object.entries(exitCodes)
    .filter(([name, value]) => name.startsWith("EXIT_") && typeof value === "number")
    .map(([, value]) => value);
  const codes = exitCodes.EXIT_CODES.map(({ code }) => code);
  assertEquals(codes, constants.toSorted((a, b) => Number(a) - Number(b)));
  const page = await read(SCRIPTING);
  const [, section = ""] = /## Exit codes\n([^]*?)\n## /.exec(page) ?? [];
  const documented = [...section.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)];
  assertEquals(
    documented.map(([, code, meaning]) => ({ code: Number(code), meaning })),
    exitCodes.EXIT_CODES,
  );
  const manual = await read(MANUAL);
  for (const code of codes) {
    assertStringIncludes(manual, `\n.TP\n.B ${code}\n`);
    assertStringIncludes(exitCodes.EXIT_STATUS_HELP, String(code));
  }
});

Deno.test("metrics are all in the page", async () => {
  const page = await read(SCRIPTING);
  for (const { name, help } of METRICS) {
    assertStringIncludes(page, `| \`${name}\``);
    assertStringIncludes(page, help);
  }
});

Deno.test("help tells of every command what it does, its options, examples and the exit status", async (t) => {
  const { root } = createProgram(recordingContext());
  const manual = (await read(MANUAL)).replaceAll("\\-", "-");
  for (const command of allCommands(root)) {
    const { parent } = command;
    if (parent && defaultCommandOf(parent) === command) continue;
    await t.step(commandPath(command), async () => {
      const context = recordingContext();
      const route = commandPath(command).split(" ").slice(1);
      assertEquals(await run([...route, "--help"], context), 0);
      const help = context.out();
      const inOneLine = (text: string) => text.replaceAll(/\s+/g, " ");
      assert(command.description() !== "");
      assertStringIncludes(inOneLine(help), inOneLine(command.description()));
      assertStringIncludes(help, "Exit status:");
      const acting = defaultCommandOf(command) ?? command;
      for (const option of acting.options) {
        assertStringIncludes(help, option.long ?? "");
        assertStringIncludes(manual, `\n.B ${option.flags}\n`);
      }
      const examples = examplesOf(command);
      assert(examples.length > 0, "has no example");
      for (const example of examples) {
        assertStringIncludes(help, `  ${example}\n`);
        const [argv = []] = toolCalls(example);
        assert(argv.length > 0, example);
        await requireParses(argv);
      }
      if (route.length > 0) assertStringIncludes(manual, `.SS "${route.join(" ")}`);
    });
  }
});

/** What the role has to allow for each sub-command of kubectl that the program runs. */
const KUBECTL_NEEDS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  version: [],
  get: ["pods", "deployments", "statefulsets"].flatMap((what) => [[what, "get"], [what, "list"]]),
  exec: [["pods", "get"], ["pods/exec", "create"], ["pods/exec", "get"]],
  annotate: ["deployments", "statefulsets"].flatMap((what) => [[what, "get"], [what, "patch"]]),
  scale: ["deployments/scale", "statefulsets/scale"].flatMap((what) => [
    [what, "get"],
    [what, "patch"],
  ]),
};

Deno.test("the role in docs/operations.md allows what kubectl is run for", async () => {
  const sources = await Promise.all(
    ["kubernetes/kubernetes.ts", "detect.ts"].map((name) => read(`src/environment/${name}`)),
  );
  const calls = sources.join("\n").matchAll(
    /(?:#call\(|kubectl\(options\),|#program,)\s*\[?\s*"(\w+)"|\[\s*"(annotate|scale|exec|get)", (?:kind, )?"-n"/g,
  );
  const used = new Set([...calls].map(([, first, second]) => first ?? second ?? ""));
  assertEquals([...used].sort(), Object.keys(KUBECTL_NEEDS).sort());
  const page = await read("docs/operations.md");
  const rules = [...page.matchAll(/resources: (\[.*\])\n\s+verbs: (\[.*\])/g)].map((match) => ({
    resources: JSON.parse(match[1] ?? "[]") as string[],
    verbs: JSON.parse(match[2] ?? "[]") as string[],
  }));
  for (const [resource, verb] of [...used].flatMap((name) => KUBECTL_NEEDS[name] ?? [])) {
    const isAllowed = rules.some(({ resources, verbs }) =>
      resources.includes(resource) && verbs.includes(verb)
    );
    assert(isAllowed, `${verb} of ${resource} is not allowed`);
  }
  const [, args = ""] = /^ +args:\s+(\[[^\]]*\])$/m.exec(page) ?? [];
  assertStringIncludes(args, "create");
  await requireParses(JSON.parse(args.replace(/,\s*\]$/, "]")));
});
