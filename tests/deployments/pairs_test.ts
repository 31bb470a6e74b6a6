/**
 * Two deployments that back up into one repository at the same moment, again and again, as processes of
 * their own: each run is a group of its own, and nothing of one reaches the other.
 */

import { assert, assertEquals } from "@std/assert";
import { Bench } from "../cli/_bench.ts";

const PAIRS = Number(Deno.env.get("INFRAHUB_BACKUP_TEST_PAIRS") ?? "50");
const FIXTURES = new URL("../fixtures/dumps/", import.meta.url).pathname;

interface Group {
  readonly backup_id: string;
  readonly status: string;
  readonly infrahub_version: string;
  readonly components: readonly string[];
  readonly snapshots: readonly { readonly snapshot_id: string; readonly component: string }[];
  readonly origin: { readonly deployment?: string; readonly run?: string };
}

Deno.test(`${PAIRS} pairs of backups that begin at the same moment are ${2 * PAIRS} groups`, async () => {
  await using bench = await Bench.create();
  const neo4j = `${bench.root}/neo4j.dump`;
  await Deno.writeFile(neo4j, await communityDump());
  const create = (site: string, pair: number) =>
    bench.json([
      "create",
      "from-files",
      `--neo4j-path=${neo4j}`,
      "--neo4j-edition=community",
      `--postgres-path=${FIXTURES}postgres_16.dump`,
      `--deployment=${site}`,
      // Stands in each snapshot, and tells whose it is without the tags that are tested.
      `--infrahub-version=${site}-${pair}`,
    ]);
  const made: { backup_id: string; run: string }[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    // The first pair creates the repository.
    made.push(...await Promise.all([create("site-a", pair), create("site-b", pair)]));
  }
  const groups: Group[] = await bench.json(["snapshots", "list"]);
  assertEquals(groups.length, 2 * PAIRS);
  assertEquals(new Set(groups.map(({ backup_id }) => backup_id)).size, 2 * PAIRS);
  assertEquals(new Set(groups.map(({ origin }) => origin.run)).size, 2 * PAIRS);
  assertEquals(
    groups.map(({ backup_id }) => backup_id).sort(),
    made.map(({ backup_id }) => backup_id).sort(),
  );
  for (const { status, snapshots, origin, infrahub_version } of groups) {
    assertEquals(status, "complete");
    assertEquals(snapshots.map(({ component }) => component), ["neo4j", "postgres", "metadata"]);
    assert(infrahub_version.startsWith(`${origin.deployment}-`), infrahub_version);
  }
  // Each snapshot says the same of itself, and is named by no other group.
  for (const { snapshots, infrahub_version, origin } of groups.slice(0, 6)) {
    for (const { snapshot_id } of snapshots) {
      const shown = await bench.json(["snapshots", "show", snapshot_id]);
      assert(shown.tags.includes(`infrahub.version=${infrahub_version}`));
      assertEquals(shown.origin.run, origin.run);
    }
  }
  for (const site of ["site-a", "site-b"]) {
    const own: Group[] = await bench.json(["snapshots", "list", "--deployment", site]);
    assertEquals(own.length, PAIRS);
    assertEquals(new Set(own.map(({ origin }) => origin.deployment)), new Set([site]));
    const to = `${bench.root}/${site}`;
    const restored = await bench.json(["restore", "--to", to, "--deployment", site]);
    assertEquals(restored.origin.deployment, site);
    const information = JSON.parse(await Deno.readTextFile(`${to}/backup_information.json`));
    assertEquals(information.infrahub_version, `${site}-${PAIRS - 1}`);
    assertEquals(information.origin.deployment, site);
  }
  await bench.assertSound();
  const left = await Array.fromAsync(Deno.readDir(bench.repository));
  assertEquals(left.map(({ name }) => name).sort(), ["CONFIG", "locks", "packfiles", "states"]);
});

async function communityDump(): Promise<Uint8Array> {
  const frame = await Deno.readFile(`${FIXTURES}stream.zst`);
  const dump = new Uint8Array(4 + frame.length);
  dump.set(new TextEncoder().encode("DZV1"));
  dump.set(frame, 4);
  return dump;
}
