import { assert, assertEquals, assertThrows } from "@std/assert";
import { isPrivateHost, parseS3Location, S3LocationError } from "../../../src/s3/mod.ts";

const MINE = "https://minio.example.org:9000";

Deno.test("parseS3Location() tells hosts from buckets", async (t) => {
  const rows: [location: string, endpoint: string | undefined, address: unknown[]][] = [
    // With a port, an address, or a dot: a host, as in the Go tool.
    ["s3://h:9000/bkt", undefined, ["https://h:9000", "bkt", ""]],
    ["s3://h:9000/bkt/a/b/", undefined, ["https://h:9000", "bkt", "a/b/"]],
    ["s3://10.0.0.7/bkt/a", undefined, ["https://10.0.0.7", "bkt", "a/"]],
    ["s3://[::1]:9000/bkt", undefined, ["https://[::1]:9000", "bkt", ""]],
    ["s3://[::1]/bkt", undefined, ["https://[::1]", "bkt", ""]],
    ["s3://localhost/bkt", undefined, ["https://localhost", "bkt", ""]],
    ["s3://s3.eu-west-1.amazonaws.com/bkt/p", undefined, [
      "https://s3.eu-west-1.amazonaws.com",
      "bkt",
      "p/",
    ]],
    ["S3://storage.googleapis.com/bkt", undefined, ["https://storage.googleapis.com", "bkt", ""]],
    // Without: a bucket at AWS, or at the endpoint.
    ["s3://my-bucket", undefined, [undefined, "my-bucket", ""]],
    ["s3://my-bucket/a", undefined, [undefined, "my-bucket", "a/"]],
    ["s3://my-bucket/a/b", MINE, [MINE, "my-bucket", "a/b/"]],
    ["s3://my-bucket/a", MINE, [MINE, "my-bucket", "a/"]],
    // The endpoint's own host is one, and its scheme counts.
    ["s3://minio.example.org:9000/bkt", MINE, [MINE, "bkt", ""]],
    ["s3://minio.example.org:9000/bkt", "http://minio.example.org:9000", [
      "http://minio.example.org:9000",
      "bkt",
      "",
    ]],
    ["s3://s3.example.org/bkt", "http://s3.example.org/path", ["http://s3.example.org", "bkt", ""]],
    ["s3://s3.example.org:80/bkt", "http://s3.example.org", [
      "http://s3.example.org:80",
      "bkt",
      "",
    ]],
    ["s3://minio/bkt", "http://minio", ["http://minio", "bkt", ""]],
    // A host with a port is one, whatever the endpoint: its scheme does not count then.
    ["s3://other:9000/bkt", "http://minio.example.org", ["https://other:9000", "bkt", ""]],
    // Decoded, as plakar's integration does since 1.1.2.
    ["s3://h:9000/bkt/a%20b", undefined, ["https://h:9000", "bkt", "a b/"]],
    ["s3://h:9000/bkt/a b", undefined, ["https://h:9000", "bkt", "a b/"]],
  ];
  for (const [location, endpoint, expected] of rows) {
    await t.step(`${location} at ${endpoint}`, () => {
      const address = parseS3Location(location, endpoint);
      assertEquals([address.endpoint, address.bucket, address.prefix], expected);
      assertEquals(address.credentials, undefined);
    });
  }
});

Deno.test("parseS3Location() speaks plain HTTP where the Go tool does, and never in public", () => {
  const endpointOf = (host: string, endpoint?: string) =>
    parseS3Location(`s3://AK:SK@${host}/bkt`, endpoint).endpoint;
  const hosts = ["127.0.0.1:9000", "10.1.2.3:9000", "localhost:9000", "minio:9000", "[fd00::1]:80"];
  for (const host of hosts) assertEquals(endpointOf(host), `http://${host}`);
  for (const host of ["s3.example.org", "8.8.8.8:9000", "[2001:db8::1]:9000", "example.org:9000"]) {
    assertEquals(endpointOf(host), `https://${host}`);
    // Said explicitly, it is done.
    assertEquals(endpointOf(host, `http://${host}`), `http://${host}`);
  }
  assertEquals(endpointOf("127.0.0.1:9000", "https://127.0.0.1:9000"), "https://127.0.0.1:9000");
});

Deno.test("parseS3Location() decodes credentials and leaves them out of the location", () => {
  const { credentials, location } = parseS3Location("s3://A%2FK:s%2Fe%40c%25:x@h:9000/bkt/p/");
  assertEquals(credentials, { accessKeyId: "A/K", secretAccessKey: "s/e@c%:x" });
  assertEquals(location, "s3://h:9000/bkt/p");
});

Deno.test("parseS3Location() refuses what could mean two things, and says how to write it", () => {
  const refused = (location: string, endpoint?: string) =>
    assertThrows(() => parseS3Location(location, endpoint), S3LocationError).message;
  const dotted = refused("s3://my.bucket/a", MINE);
  assert(dotted.includes(`s3://minio.example.org:9000/my.bucket/…`), dotted);
  assert(dotted.includes("s3://my.bucket:443/…"), dotted);
  const named = refused("s3://AK:SK@minio/backups");
  assert(named.includes("minio:443 or minio:80"), named);
  // As the Go tool reads it, a host; it could be a bucket.
  for (const location of ["s3://minio/bucket/x", "s3://minio/bucket", "s3://storage/bucket/x/y"]) {
    const [, name = "", rest = ""] = /^s3:\/\/([^/]*)\/(.*)$/.exec(location) ?? [];
    const both = refused(location);
    assert(both.includes(`s3://${name}:443/${rest} for the bucket "bucket"`), both);
    assert(both.includes(`s3://s3.amazonaws.com/${name}/${rest} for the bucket "${name}"`), both);
  }
  const lonely = refused("s3://my.bucket");
  assert(lonely.includes("s3://s3.amazonaws.com/my.bucket"), lonely);
});

Deno.test("parseS3Location() refuses what is malformed, and repeats no secret", () => {
  const locations = [
    "s3://",
    "s3:bucket",
    "s3:///bucket",
    "s3://AK:hush/key@h:9000/bkt",
    "s3://AK:hush@",
    "s3://:hush@h:9000/bkt",
    "s3://hush@h:9000/bkt",
    "s3://AK:hush%zz@h:9000/bkt",
    "s3://AK:hush@h:9000",
    "s3://AK:hush@h:9000/b",
    "s3://AK:hush@h:9000/bkt/a//b",
    "s3://AK:hush@h:9000/bkt/../b",
    "s3://AK:hush@h:9000/bkt/%2e%2e/b",
    "s3://AK:hush@h:9000/bkt?x=1",
    "s3://AK:hush@h:9000/bkt#x",
    "s3://AK:hush@h:x/bkt",
    "s3://AK:hush@minio/bkt",
    "s3://AK:hush@a b/bkt",
  ];
  for (const location of locations) {
    const error = assertThrows(() => parseS3Location(location), S3LocationError);
    assert(!error.message.includes("hush"), `${location}: ${error.message}`);
  }
  for (const endpoint of ["minio:9000", "ftp://h", "https://", "http://AK:hush@h"]) {
    const error = assertThrows(
      () => parseS3Location("s3://bucket", endpoint),
      S3LocationError,
    );
    assert(!error.message.includes("hush"), `${endpoint}: ${error.message}`);
  }
});

Deno.test("isPrivateHost() knows networks that the public does not reach", () => {
  const hosts = ["127.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.1", "192.168.1.1", "minio"];
  const names = ["localhost", "a.localhost", "db.internal", "x.local", "m.ns.svc.cluster.local"];
  for (const host of [...hosts, ...names, "[::1]", "::1", "fd12::1", "fe80::1", "169.254.1.1"]) {
    assert(isPrivateHost(host), host);
  }
  for (
    const host of ["8.8.8.8", "172.15.0.1", "172.32.0.1", "example.org", "2001:db8::1", "11.0.0.1"]
  ) {
    assert(!isPrivateHost(host), host);
  }
});
