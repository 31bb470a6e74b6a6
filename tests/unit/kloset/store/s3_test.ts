import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  ObjectNotFoundError,
  RepositoryExistsError,
  S3Store,
  UnsupportedLocationError,
} from "../../../../src/kloset/mod.ts";
import { type Answer, refusal, startService, xml } from "../../s3/_service.ts";

const SETTINGS = {
  env: () => undefined,
  region: "us-east-1",
  retries: { attempts: 1, firstDelayMs: 1, maximumDelayMs: 1 },
};

/** A store at a scripted service; the contract of stores is held against real servers. */
async function withStore(
  answer: Answer,
  action: (store: S3Store, warnings: string[]) => Promise<void>,
): Promise<void> {
  await using service = startService(answer);
  const { endpoint = "" } = service.bucket().address;
  const warnings: string[] = [];
  const location = `s3://AK:SK@${new URL(endpoint).host}/bkt/repo`;
  const onWarning = (message: string) => void warnings.push(message);
  await action(new S3Store(location, { ...SETTINGS, onWarning }), warnings);
}

Deno.test("S3Store tells a bad location or endpoint as a store does", () => {
  assertThrows(() => new S3Store("s3://h:9000", SETTINGS), UnsupportedLocationError, "is a host");
  const settings = { ...SETTINGS, endpoint: "nonsense" };
  assertThrows(() => new S3Store("s3://bkt", settings), UnsupportedLocationError, "endpoint");
});

Deno.test("S3Store takes a missing bucket for an absent repository, and makes it", async () => {
  let config: Uint8Array<ArrayBuffer> | undefined;
  let hasBucket = false;
  const answer: Answer = ({ method, target, headers, body }) => {
    if (method === "PUT" && target === "/bkt/") {
      hasBucket = true;
      return new Response();
    }
    if (!hasBucket) return refusal("NoSuchBucket", 404);
    if (method === "PUT") {
      if (config !== undefined && headers.has("if-none-match")) {
        return refusal("PreconditionFailed", 412);
      }
      config = new Uint8Array(body);
      return new Response(null, { headers: { etag: '"e"' } });
    }
    return config === undefined ? refusal("NoSuchKey", 404) : new Response(config);
  };
  await withStore(answer, async (store, warnings) => {
    assertEquals(await store.presence(), "absent");
    await assertRejects(() => store.readConfiguration(), ObjectNotFoundError, "does not exist at");
    await store.create(Uint8Array.of(1, 2, 3));
    assertEquals(warnings, ['Bucket "bkt" does not exist: creating it']);
    assertEquals(await store.presence(), "repository");
    assertEquals([...await store.readConfiguration()], [1, 2, 3]);
  });
});

Deno.test("S3Store notices that another client has created a repository at the same time", async () => {
  const answer: Answer = ({ method }) =>
    method === "PUT"
      ? new Response(null, { headers: { etag: '"e"' } })
      : new Response("the other's");
  await withStore(answer, async (store) => {
    await assertRejects(
      () => store.create(Uint8Array.of(1)),
      RepositoryExistsError,
      "somebody else has created one at the same time",
    );
  });
});

Deno.test("S3Store takes packfiles without a CONFIG for something foreign, and lists objects alone", async () => {
  const id = "ab".repeat(32);
  const keys = [`repo/states/ab/${id}`, "repo/states/ab/notes.txt", `repo/states/cd/${id}`];
  const answer: Answer = ({ target }) =>
    target.includes("list-type=2")
      ? xml(
        `<ListBucketResult>${
          keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join("")
        }</ListBucketResult>`,
      )
      : refusal("NoSuchKey", 404);
  await withStore(answer, async (store) => {
    assertEquals(await store.presence(), "foreign");
    assertEquals(await store.list("state"), [id]);
    await assertRejects(() => store.readAll("state", id), ObjectNotFoundError);
    await assertRejects(() => store.size("state", id), ObjectNotFoundError);
  });
});

Deno.test("S3Store gives a name to one client until it is given back", async () => {
  const there = new Map<string, Uint8Array<ArrayBuffer>>();
  const answer: Answer = ({ method, target, headers, body }) => {
    const key = target.split("?")[0] ?? "";
    if (method === "DELETE") {
      there.delete(key);
      return new Response(null, { status: 204 });
    }
    if (method !== "PUT") return new Response(there.get(key) ?? null);
    if (there.has(key) && headers.has("if-none-match")) return refusal("PreconditionFailed", 412);
    there.set(key, new Uint8Array(body));
    return new Response(null, { headers: { etag: '"e"' } });
  };
  await withStore(answer, async (store) => {
    const giveBack = await store.claim("daily");
    assertEquals([...there.keys()], ["/bkt/repo/claims/daily"]);
    assertEquals(await store.claim("daily"), undefined);
    await giveBack?.();
    assertEquals(there.size, 0);
  });
});
