import { assertEquals, assertStringIncludes } from "@std/assert";
import { understand } from "../../../src/s3/_failure.ts";
import { StallError } from "../../../src/s3/_http.ts";

const PLACE = { bucket: "bkt", endpoint: "https://s3.example.org" };

/** An error as the SDK throws it. */
function answer(code: string, status: number, more: Record<string, unknown> = {}): Error {
  return Object.assign(
    new Error("said so"),
    { name: code, $metadata: { httpStatusCode: status } },
    more,
  );
}

Deno.test("understand() tells what to try again from what to give up", () => {
  const rows: [unknown, string][] = [
    [answer("InternalError", 500), "transient"],
    [answer("SlowDown", 503), "transient"],
    [answer("Unknown", 502), "transient"],
    [answer("RequestTimeout", 400), "transient"],
    [answer("TooManyRequests", 429), "transient"],
    [answer("ConditionalRequestConflict", 409), "transient"],
    [answer("BadDigest", 400), "transient"],
    [answer("SyntaxError", 200), "transient"],
    [new StallError("no answer within 60 s"), "transient"],
    [new TypeError("error sending request: connection reset"), "transient"],
    [new Error("the answer broke off"), "transient"],
    [answer("NoSuchKey", 404), "no-object"],
    [answer("Unknown", 404), "no-object"],
    [answer("NoSuchBucket", 404), "no-bucket"],
    [answer("NoSuchUpload", 404), "no-upload"],
    [answer("PreconditionFailed", 412), "exists"],
    [answer("InvalidRange", 416), "range"],
    [answer("NotImplemented", 501), "unsupported"],
    [answer("ExpiredToken", 400), "expired"],
    [answer("AccessDenied", 403), "denied"],
    [answer("Unknown", 403), "denied"],
    [answer("InvalidAccessKeyId", 403), "permanent"],
    [answer("SignatureDoesNotMatch", 403), "permanent"],
    [answer("RequestTimeTooSkewed", 403), "permanent"],
    [answer("InvalidArgument", 400), "permanent"],
    [answer("PermanentRedirect", 301), "region"],
    [new TypeError("invalid peer certificate: UnknownIssuer"), "permanent"],
    [new TypeError("received corrupt message of type InvalidContentType"), "permanent"],
    [Object.assign(new Error("none"), { name: "CredentialsProviderError" }), "permanent"],
  ];
  for (const [error, kind] of rows) {
    assertEquals(understand(error, PLACE, "us-east-1").kind, kind, Deno.inspect(error));
  }
});

Deno.test("understand() says what to do", () => {
  const rows: [unknown, string][] = [
    [answer("InvalidAccessKeyId", 403), "check AWS_ACCESS_KEY_ID"],
    [answer("SignatureDoesNotMatch", 403), "check AWS_SECRET_ACCESS_KEY"],
    [answer("RequestTimeTooSkewed", 403), "set this host's clock"],
    [answer("NoSuchBucket", 404), 'bucket "bkt" does not exist at https://s3.example.org'],
    [answer("AccessDenied", 403), "the credentials need s3:ListBucket"],
    [answer("ExpiredToken", 400), "has expired: get new ones"],
    [answer("PermanentRedirect", 301, { Region: "eu-west-7" }), "set AWS_REGION=eu-west-7"],
    [
      answer("Redirect", 301, { $response: { headers: { "x-amz-bucket-region": "eu-west-8" } } }),
      "set AWS_REGION=eu-west-8",
    ],
    [new TypeError("send", { cause: new Error("invalid peer certificate") }), "AWS_CA_BUNDLE"],
    [
      new TypeError("received corrupt message of type InvalidContentType"),
      "AWS_ENDPOINT_URL_S3=http://s3.example.org",
    ],
    [Object.assign(new Error("none"), { name: "CredentialsProviderError" }), "AWS_PROFILE"],
    [answer("InvalidObjectState", 403), "restore it there first"],
  ];
  for (const [error, text] of rows) {
    assertStringIncludes(understand(error, PLACE, "us-east-1").message, text);
  }
});

Deno.test("understand() finds the bucket's region wherever the service says it", () => {
  const malformed = Object.assign(
    new Error("the region 'us-east-1' is wrong; expecting 'eu-west-9'"),
    { name: "AuthorizationHeaderMalformed", $metadata: { httpStatusCode: 400 } },
  );
  assertEquals(understand(malformed, PLACE, "us-east-1").region, "eu-west-9");
});
