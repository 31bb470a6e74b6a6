/**
 * Backs up generated streams in a loop until it is killed, and says each snapshot that is committed:
 * `deno run _kill_child.ts DIRECTORY SEED`.
 *
 * @module
 */

import { createRepository, openRepository, openStore } from "../../src/kloset/mod.ts";
import { noise, SNAPSHOT, streamOf } from "./backups.ts";

const [directory = "", seed = ""] = Deno.args;
const store = openStore(directory);
const options = { jobs: 1 };
const repository = await store.presence() === "absent"
  ? await createRepository(store, options)
  : await openRepository(store, options);

for (let i = 0;; i++) {
  const writer = await repository.createSnapshot({ ...SNAPSHOT, name: `${seed}/${i}` });
  // Some of it is known from the runs before, some is new.
  await writer.addFile("/known", streamOf(noise(600_000, 1)));
  await writer.addFile("/new", streamOf(noise(700_000 + 1000 * i, 1000 * Number(seed) + i)));
  await writer.commit();
  // One write, so that the parent sees whole lines or nothing.
  Deno.stdout.writeSync(new TextEncoder().encode(`${writer.id}\n`));
}
