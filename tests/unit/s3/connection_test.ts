import { assert, assertEquals, assertRejects } from "@std/assert";
import { Connector } from "../../../src/s3/_connection.ts";
import { parseS3Location, S3Error, S3RequestError } from "../../../src/s3/mod.ts";
import { refusal, startService } from "./_service.ts";

const ADDRESS = parseS3Location("s3://AK:SK@127.0.0.1:9/bkt");

Deno.test("Connector takes the region from settings, then from variables, empty ones passed over", async () => {
  const rows: [string | undefined, Record<string, string>, string][] = [
    ["eu-1", { AWS_REGION: "eu-2" }, "eu-1"],
    [undefined, { AWS_REGION: "eu-2", AWS_DEFAULT_REGION: "eu-3" }, "eu-2"],
    [undefined, { AWS_REGION: "", AWS_DEFAULT_REGION: "eu-3" }, "eu-3"],
  ];
  for (const [region, variables, expected] of rows) {
    const settings = { env: (name: string) => variables[name], ...(region ? { region } : {}) };
    const connection = await new Connector(ADDRESS, settings).connect();
    assertEquals(connection.region, expected);
    connection.client.destroy();
  }
});

Deno.test("Connector follows a service to a region once, unless somebody has named another", () => {
  const free = new Connector(ADDRESS, { env: () => undefined });
  assertEquals(
    [free.follow(undefined), free.follow("eu-9"), free.follow("eu-9"), free.follow("eu-8")],
    [false, true, false, true],
  );
  assertEquals(new Connector(ADDRESS, { region: "eu-1" }).follow("eu-9"), false);
});

Deno.test("Connector says which certificates cannot be read", async () => {
  const env = (name: string) => name === "AWS_CA_BUNDLE" ? "/nowhere/ca.pem" : undefined;
  const connector = new Connector(ADDRESS, { env, region: "eu-1" });
  await assertRejects(() => connector.connect(), S3Error, "AWS_CA_BUNDLE names: /nowhere/ca.pem");
});

Deno.test("a bucket in another region than the given one is told, and not followed", async () => {
  await using service = startService(() =>
    refusal("PermanentRedirect", 301, "<Region>eu-9</Region>")
  );
  const error = await assertRejects(() => service.bucket().objects.get("Cannot read", "x"));
  assert(error instanceof S3RequestError);
  assertEquals([error.kind, service.seen.length], ["region", 1]);
});
