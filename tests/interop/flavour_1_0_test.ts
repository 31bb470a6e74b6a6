import { assert, assertEquals } from "@std/assert";
import { installPeer } from "../../scripts/peers.ts";
import { prose, randomBytes } from "./content.ts";
import { Plakar } from "./plakar.ts";
import {
  digestOf,
  IMPORTER,
  open,
  packfileBytes,
  sha256,
  stateVersions,
  store,
  streamOf,
  Workspace,
} from "./workspace.ts";

/** The client of the 1.0 line, on one repository. */
class Client {
  readonly #executable: string;
  readonly #repository: string;

  private constructor(executable: string, repository: string) {
    this.#executable = executable;
    this.#repository = repository;
  }

  static async for(repository: string): Promise<Client> {
    return new Client(await installPeer("kloset-1.0"), repository);
  }

  async #tryRun(args: readonly string[], stdin: Uint8Array): Promise<Deno.CommandOutput> {
    const child = new Deno.Command(this.#executable, {
      args: [this.#repository, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const [output] = await Promise.all([child.output(), streamOf(stdin).pipeTo(child.stdin)]);
    return output;
  }

  async run(args: readonly string[], stdin: Uint8Array = new Uint8Array()): Promise<Uint8Array> {
    const { code, stdout, stderr } = await this.#tryRun(args, stdin);
    if (code !== 0) {
      throw new Error(`kloset 1.0, ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
    }
    return stdout;
  }

  async fails(...args: string[]): Promise<string> {
    const { code, stderr } = await this.#tryRun(args, new Uint8Array());
    assert(code !== 0, `kloset 1.0, ${args.join(" ")}, must fail`);
    return new TextDecoder().decode(stderr);
  }

  async lines(...args: string[]): Promise<string[]> {
    const text = new TextDecoder().decode(await this.run(args));
    return text.split("\n").filter((line) => line !== "");
  }

  /** Stores a stream as the Go tool did. @returns the snapshot's id */
  async stream(name: string, content: Uint8Array): Promise<string> {
    const output = await this.run(["stream", name], content);
    return new TextDecoder().decode(output).trim();
  }
}

Deno.test("a repository of 1.0 states stays open to 1.0 clients after we wrote to it", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  const client = await Client.for(repository);
  await client.run(["create"]);
  const content = randomBytes(12_000_000, 1);
  const old = await client.stream("neo4j.dump", content);
  const expected = new Map([[old, { path: "/neo4j.dump", sha256: sha256(content) }]]);
  const before = await packfileBytes(repository);
  {
    await using ours = await open(repository);
    const same = await store(ours, "/neo4j.dump", streamOf(content));
    expected.set(same, { path: "/neo4j.dump", sha256: sha256(content) });
    const added = await packfileBytes(repository) - before;
    assert(added < content.length / 100, `the same bytes added ${added}`);

    const text = prose(3_000_000, 2);
    const writer = await ours.createSnapshot({ name: "tree", importer: IMPORTER });
    writer.addDirectory("/", { mode: 0o755 });
    writer.addDirectory("/a", { mode: 0o755 });
    writer.addSymlink("/a/link", "text");
    await writer.addFile("/a/text", streamOf(text), { mode: 0o640 });
    await writer.addFile("/a/empty", streamOf());
    await writer.commit();
    expected.set(writer.id, { path: "/a/text", sha256: sha256(text) });
  }
  const young = await client.stream("prefect.dump", content);
  expected.set(young, { path: "/prefect.dump", sha256: sha256(content) });

  assertEquals(await stateVersions(repository), ["1.0.0"]);
  assertEquals((await client.lines("ls")).sort(), [...expected.keys()].sort());
  assertEquals((await client.lines("check")).length, expected.size);
  await plakar.check(repository);
  await using ours = await open(repository);
  for (const [id, { path, sha256: digest }] of expected) {
    assertEquals(sha256(await client.run(["cat", id, path])), digest);
    assertEquals((await plakar.catDigest(repository, id, path)).sha256, digest);
    const snapshot = await ours.openSnapshot(id);
    assertEquals((await digestOf(snapshot, path)).sha256, digest);
    assertEquals(await snapshot.check(), []);
  }
});

Deno.test("a snapshot that a 1.0 client removed is gone for us", async () => {
  await using workspace = await Workspace.make();
  const repository = workspace.at("repository");
  const client = await Client.for(repository);
  await client.run(["create"]);
  const kept = await client.stream("neo4j.dump", randomBytes(100_000, 1));
  const removed = await client.stream("neo4j.dump", randomBytes(100_000, 2));
  await client.run(["rm", removed]);
  await using ours = await open(repository);
  const { headers } = await ours.snapshots();
  assertEquals(headers.map(({ identifier }) => identifier), [kept]);
});

Deno.test("a repository that plakar has written to is locked to 1.0 clients, not to us", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  const client = await Client.for(repository);
  await client.run(["create"]);
  const content = randomBytes(200_000, 1);
  const ids = [
    await client.stream("neo4j.dump", content),
    await plakar.backupStream(repository, "neo4j.dump", content),
  ];
  assertEquals(await stateVersions(repository), ["1.0.0", "1.1.0"]);
  const message = await client.fails("ls");
  assert(message.includes('"v1.1.0" is newer than current version "v1.0.0"'), message);

  await using ours = await open(repository);
  ids.push(await store(ours, "/neo4j.dump", streamOf(content)));
  for (const id of ids) {
    const snapshot = await ours.openSnapshot(id);
    assertEquals((await digestOf(snapshot, "/neo4j.dump")).sha256, sha256(content));
    assertEquals(await snapshot.check(), []);
  }
  await plakar.check(repository);
});

Deno.test("an empty repository of plakar gets states of version 1.1.0 from us", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await plakar.create(repository);
  await using ours = await open(repository);
  await store(ours, "/neo4j.dump", streamOf(new Uint8Array(10)));
  assertEquals(await stateVersions(repository), ["1.1.0"]);
});
