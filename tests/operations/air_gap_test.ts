/** Does what docs/air-gap.md says, in namespaces of its own: needs root on Linux. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../../scripts/tool.ts";
import { neo4jDump, postgresDump } from "../fixtures/small_dumps.ts";
import { codeBlocks } from "../unit/cli/_documentation.ts";
import { makeShim } from "./_shim.ts";

/** A private view of the file system: what is mounted in it is seen by nobody else. */
async function runIsolated(script: string): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command("unshare", {
    args: ["--mount", "--propagation=private", "bash", "-euxc", script],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("a repository is restored from read-only media as docs/air-gap.md says", async (t) => {
  const page = await Deno.readTextFile(`${ROOT}docs/air-gap.md`);
  const blocks = codeBlocks(page).filter(({ before }) => !before.includes("not run by the test"));
  const isInside = ({ text }: { text: string }) =>
    text.includes("/media/transfer/infrahub-backup ") ||
    text.includes("--check SHA256SUMS");
  const outside = blocks.filter((block) => !isInside(block)).map(({ text }) => text);
  const inside = blocks.filter(isInside).map(({ text }) => text);
  assertEquals([outside.length, inside.length], [2, 2]);

  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "air_gap_" }));
  try {
    for (const name of ["bin", "backups", "media", "srv"]) await Deno.mkdir(`${folder}/${name}`);
    await makeShim(`${folder}/bin/infrahub-backup`);
    await Deno.mkdir(`${folder}/backups/dumps`);
    await Deno.mkdir(`${folder}/media/transfer`);
    const neo4j = neo4jDump(crypto.getRandomValues(new Uint8Array(60_000)));
    const postgres = postgresDump(crypto.getRandomValues(new Uint8Array(5_000)));
    await Deno.writeFile(`${folder}/backups/dumps/neo4j.dump`, neo4j);
    await Deno.writeFile(`${folder}/backups/dumps/prefect.dump`, postgres);
    const mounts = [
      `mount --bind ${folder}/media /media`,
      `mount --bind ${folder}/srv /srv`,
      `export PATH=${folder}/bin:$PATH`,
      "cd /",
    ];

    await t.step("outside", async () => {
      await Deno.mkdir("/var/backups", { recursive: true });
      const { code, text } = await runIsolated(
        [`mount --bind ${folder}/backups /var/backups`, ...mounts, ...outside].join("\n"),
      );
      assertEquals(code, 0, text);
    });

    const before = await filesBelow(`${folder}/media`);
    assert(before.size > 5);
    await t.step("inside, with all but the target read-only", async () => {
      const { code, text } = await runIsolated(
        [
          ...mounts,
          // The host, the medium, and what is mounted in between.
          "mount -o remount,bind,ro /media",
          "for point in / /root /home /tmp /var /run /dev/shm; do",
          '  mount --rbind "$point" "$point" && mount -o remount,bind,ro "$point"',
          "done",
          `mount --bind ${folder}/srv /srv && mount -o remount,bind,rw /srv`,
          "! touch /media/transfer/x /media/transfer/infrahub/x /tmp/x /var/x",
          ...inside,
        ].join("\n"),
      );
      assertEquals(code, 0, text);
      assertStringIncludes(text, "no damage found");
    });

    assertEquals(await filesBelow(`${folder}/media`), before);
    assertEquals(await Deno.readFile(`${folder}/srv/restored/neo4j.dump`), neo4j);
    assertEquals(await Deno.readFile(`${folder}/srv/restored/prefect.dump`), postgres);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Path, size and time of change of everything below a folder. */
async function filesBelow(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    const { size, mtime } = await Deno.lstat(path);
    files.set(path, `${size} ${mtime?.getTime()}`);
    if (isDirectory) { for (const [key, value] of await filesBelow(path)) files.set(key, value); }
  }
  return files;
}
