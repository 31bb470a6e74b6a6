import { assertEquals, assertThrows } from "@std/assert";
import { configuredEndpoint, S3LocationError } from "../../../src/s3/mod.ts";

Deno.test("configuredEndpoint() prefers what was given, then the variable of S3, then that of all", () => {
  const all = {
    AWS_ENDPOINT_URL_S3: "https://s3.example.org/path",
    AWS_ENDPOINT_URL: "https://all.example.org",
  };
  const rows: [string | undefined, Record<string, string>, string | undefined][] = [
    ["http://given.example.org:9000", all, "http://given.example.org:9000"],
    [undefined, all, "https://s3.example.org"],
    ["", { ...all, AWS_ENDPOINT_URL_S3: "" }, "https://all.example.org"],
    [undefined, {}, undefined],
  ];
  for (const [endpoint, variables, expected] of rows) {
    const env = (name: string) => variables[name];
    assertEquals(
      configuredEndpoint({ env, ...(endpoint === undefined ? {} : { endpoint }) }),
      expected,
    );
  }
  assertThrows(() => configuredEndpoint({ endpoint: "s3.example.org" }), S3LocationError);
});
