import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  FileSystemStore,
  ObjectNotFoundError,
  StoreError,
  type StorePresence,
} from "../../../../src/kloset/mod.ts";
import { TemporaryDirectory } from "../../../faults/temporary_directory.ts";
import { testStoreContract } from "../store_contract.ts";

const ID = "0123456789abcdef".repeat(4);
const BYTES = new Uint8Array([1, 2, 3]);
const BUCKETS = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

testStoreContract("FileSystemStore", async () => {
  const directory = await TemporaryDirectory.make();
  return {
    store: new FileSystemStore(directory.at("repository")),
    another: () => new FileSystemStore(directory.at("repository")),
    leftovers: async () => (await directory.files()).filter((path) => path.includes("tmp.")),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
});

function test(name: string, run: (directory: TemporaryDirectory) => Promise<void>): void {
  Deno.test(`FileSystemStore ${name}`, async () => {
    await using directory = await TemporaryDirectory.make();
    await run(directory);
  });
}

test("create() makes the folders and buckets that plakar wants, for the owner alone", async (d) => {
  const store = new FileSystemStore(d.at("a/b/repository"));
  await store.create(BYTES);
  await store.put("packfile", ID, BYTES);
  await store.put("state", ID, BYTES);
  await store.put("lock", ID, BYTES);
  const root = d.at("a/b/repository");
  assertEquals(await d.files("a/b/repository"), [
    "CONFIG",
    `locks/${ID}`,
    `packfiles/01/${ID}`,
    `states/01/${ID}`,
  ]);
  for (const folder of ["packfiles", "states"]) {
    const buckets = [...Deno.readDirSync(`${root}/${folder}`)].map(({ name }) => name);
    assertEquals(buckets.sort(), BUCKETS);
  }
  if (Deno.build.os === "windows") return;
  const mode = (path: string) => Deno.statSync(`${root}/${path}`).mode! & 0o777;
  for (const path of ["", "locks", "packfiles", "packfiles/01", "states", "states/ff"]) {
    assertEquals(mode(path), 0o700, path);
  }
  for (const path of ["CONFIG", `locks/${ID}`, `packfiles/01/${ID}`, `states/01/${ID}`]) {
    assertEquals(mode(path), 0o600, path);
  }
});

test("presence() tells what is there and changes nothing", async (d) => {
  const cases: [name: string, expected: StorePresence, make: (path: string) => void][] = [
    ["missing", "absent", () => {}],
    ["missing in a missing folder/repository", "absent", () => {}],
    ["empty", "absent", (path) => Deno.mkdirSync(path)],
    ["cut off at the first bucket", "absent", (path) => {
      Deno.mkdirSync(`${path}/packfiles/00`, { recursive: true });
    }],
    ["cut off before CONFIG has its name", "absent", (path) => {
      for (const bucket of BUCKETS) {
        Deno.mkdirSync(`${path}/packfiles/${bucket}`, { recursive: true });
        Deno.mkdirSync(`${path}/states/${bucket}`, { recursive: true });
      }
      Deno.mkdirSync(`${path}/locks`);
      Deno.writeFileSync(`${path}/tmp.123`, BYTES);
    }],
    ["created", "repository", (path) => {
      Deno.mkdirSync(path);
      Deno.writeFileSync(`${path}/CONFIG`, BYTES);
    }],
    ["foreign file", "foreign", (path) => {
      Deno.mkdirSync(path);
      Deno.writeFileSync(`${path}/notes.txt`, BYTES);
    }],
    ["the root of a mount", "absent", (path) => {
      Deno.mkdirSync(`${path}/lost+found`, { recursive: true });
    }],
    ["foreign empty folder", "foreign", (path) => {
      Deno.mkdirSync(`${path}/photos`, { recursive: true });
    }],
    ["a repository that has lost its CONFIG", "foreign", (path) => {
      Deno.mkdirSync(`${path}/packfiles/01`, { recursive: true });
      Deno.writeFileSync(`${path}/packfiles/01/${ID}`, BYTES);
    }],
    ["a lock without CONFIG", "foreign", (path) => {
      Deno.mkdirSync(`${path}/locks`, { recursive: true });
      Deno.writeFileSync(`${path}/locks/${ID}`, BYTES);
    }],
    ["a foreign name among the buckets", "foreign", (path) => {
      Deno.mkdirSync(`${path}/states/letters`, { recursive: true });
    }],
    ["a file with a folder's name", "foreign", (path) => {
      Deno.mkdirSync(path);
      Deno.writeFileSync(`${path}/packfiles`, BYTES);
    }],
    ["a file with a bucket's name", "foreign", (path) => {
      Deno.mkdirSync(`${path}/packfiles`, { recursive: true });
      Deno.writeFileSync(`${path}/packfiles/00`, BYTES);
    }],
  ];
  for (const [name, expected, make] of cases) {
    const path = d.at(name);
    make(path);
    const before = await d.listing();
    assertEquals(await new FileSystemStore(path).presence(), expected, name);
    assertEquals(await d.listing(), before, name);
  }
});

test("presence() fails where it cannot look", async (d) => {
  Deno.writeFileSync(d.at("file"), BYTES);
  const cases: [name: string, path: string][] = [
    ["a file", d.at("file")],
    ["below a file", d.at("file/repository")],
  ];
  if (Deno.build.os !== "windows") {
    // Neither can be read by anybody, root included.
    Deno.symlinkSync("loop", d.at("loop"));
    cases.push(["a loop of links", d.at("loop")]);
    cases.push(["a name that is too long", d.at("x".repeat(300))]);
  }
  for (const [name, path] of cases) {
    const before = await d.listing();
    const error = await assertRejects(() => new FileSystemStore(path).presence(), StoreError);
    assert(!(error instanceof ObjectNotFoundError), name);
    assertStringIncludes(error.message, path);
    await assertRejects(() => new FileSystemStore(path).create(BYTES), StoreError, path);
    assertEquals(await d.listing(), before, name);
  }
});

Deno.test({
  name: "FileSystemStore presence() fails in a directory that may not be read",
  // Permissions do not stop root; the loop of links above stands in for it.
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
  fn: async () => {
    await using d = await TemporaryDirectory.make();
    Deno.mkdirSync(d.at("closed"), { mode: 0o000 });
    await assertRejects(() => new FileSystemStore(d.at("closed")).presence(), StoreError);
    Deno.chmodSync(d.at("closed"), 0o700);
  },
});

test("create() goes on where another creation was cut off", async (d) => {
  const root = d.at("repository");
  Deno.mkdirSync(`${root}/packfiles/00`, { recursive: true });
  Deno.writeFileSync(`${root}/tmp.1`, BYTES);
  const store = new FileSystemStore(root);
  await store.create(BYTES);
  assertEquals(await store.presence(), "repository");
  await store.put("packfile", "ff".repeat(32), BYTES);
  assertEquals(await store.list("packfile"), ["ff".repeat(32)]);
});

test("list() passes over temporary and foreign names", async (d) => {
  const root = d.at("repository");
  const store = new FileSystemStore(root);
  await store.create(BYTES);
  for (const kind of ["packfile", "state", "lock"] as const) await store.put(kind, ID, BYTES);
  for (
    const path of [
      "packfiles/tmp.1",
      "states/tmp.2",
      "tmp.3",
      "locks/tmp.4",
      "locks/README",
      `locks/${ID.slice(2)}`,
      `packfiles/01/${ID.toUpperCase()}`,
      `packfiles/01/${ID}.bak`,
      "packfiles/01/tmp.5",
      `packfiles/02/${ID}`, // in another's bucket: it could not be read
      `states/${ID}`,
      "states/notes.txt",
    ]
  ) Deno.writeFileSync(`${root}/${path}`, BYTES);
  Deno.mkdirSync(`${root}/packfiles/lost+found`);
  for (const kind of ["packfile", "state", "lock"] as const) {
    assertEquals(await store.list(kind), [ID], kind);
  }
});

test("makes a bucket that another tool has left out", async (d) => {
  const root = d.at("repository");
  const store = new FileSystemStore(root);
  await store.create(BYTES);
  Deno.removeSync(`${root}/packfiles/01`);
  Deno.removeSync(`${root}/locks`);
  await store.put("packfile", ID, BYTES);
  await store.put("lock", ID, BYTES);
  assertEquals(await store.readAll("packfile", ID), BYTES);
  assertEquals(await store.readAll("lock", ID), BYTES);
});

test("removeAbandoned() removes old temporary files and nothing else", async (d) => {
  const root = d.at("repository");
  const store = new FileSystemStore(root);
  await store.create(BYTES);
  await store.put("packfile", ID, BYTES);
  const old = ["tmp.1", "packfiles/tmp.2", "states/tmp.3"];
  const kept = ["tmp.4", "packfiles/tmp.5", "notes.txt", "packfiles/notes.txt"];
  for (const path of [...old, ...kept]) Deno.writeFileSync(`${root}/${path}`, BYTES);
  for (const path of [...old, "notes.txt", "packfiles/notes.txt", "CONFIG", `packfiles/01/${ID}`]) {
    Deno.utimeSync(`${root}/${path}`, 1000, 1000);
  }
  await store.removeAbandoned(2_000_000);
  assertEquals(
    await d.files("repository"),
    ["CONFIG", `packfiles/01/${ID}`, ...kept].sort(),
  );
});

test("fails with StoreError where the disk refuses", async (d) => {
  const root = d.at("repository");
  const store = new FileSystemStore(root);
  await store.create(BYTES);
  Deno.mkdirSync(`${root}/packfiles/01/${ID}`);
  Deno.writeFileSync(`${root}/packfiles/01/${ID}/x`, BYTES);
  for (
    const action of [
      () => store.readAll("packfile", ID),
      () => store.read("packfile", ID, 0, new Uint8Array(1)),
      () => store.put("packfile", ID, BYTES),
      () => store.delete("packfile", ID),
    ]
  ) {
    const error = await assertRejects(action, StoreError);
    assert(!(error instanceof ObjectNotFoundError));
    assertStringIncludes(error.message, ID);
  }
  assertEquals((await d.files("repository")).filter((path) => path.includes("tmp.")), []);
});

test("shows no object whose name could not be made durable", async (d) => {
  const store = new FileSystemStore(d.at("repository"));
  await store.create(BYTES);
  const writer = await store.openWriter("state", ID);
  await writer.write(BYTES);
  const { open } = Deno;
  const folder = d.at("repository/states/01");
  Object.assign(Deno, {
    open: (path: string, options?: Deno.OpenOptions) =>
      path === folder ? Promise.reject(new Error("input/output error")) : open(path, options),
  });
  try {
    await assertRejects(() => writer.close(), StoreError, "input/output error");
  } finally {
    Object.assign(Deno, { open });
  }
  assertEquals(await store.list("state"), []);
  await store.put("state", ID, BYTES);
  assertEquals(await d.files("repository"), ["CONFIG", `states/01/${ID}`]);
});
