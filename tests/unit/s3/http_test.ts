import { assertEquals, assertRejects } from "@std/assert";
import { S3HttpHandler, type S3HttpRequest, StallError } from "../../../src/s3/_http.ts";

/** Answers one request after another on loopback. */
function serve(answer: (request: Request) => Response | Promise<Response>) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  const request = (more: Partial<S3HttpRequest> = {}): S3HttpRequest => ({
    method: "GET",
    protocol: "http:",
    hostname: "127.0.0.1",
    port: server.addr.port,
    path: "/b/k",
    headers: {},
    ...more,
  });
  return { request, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("S3HttpHandler sends method, query, headers and body as they are", async () => {
  let body = new Uint8Array();
  const seen: (string | null)[] = [];
  await using service = serve(async (request) => {
    seen.push(request.method, new URL(request.url).search);
    seen.push(request.headers.get("content-length"), request.headers.get("x-mine"));
    body = await request.bytes();
    return new Response("fine", { status: 201 });
  });
  // More than is handed to a connection at a time.
  const sent = Uint8Array.from({ length: 600_000 }, (_, index) => index % 251);
  const { response } = await new S3HttpHandler(5_000).handle(service.request({
    method: "PUT",
    query: { "a b": "c*d", flag: null, many: ["1", "2"] },
    headers: { "x-mine": "yes", host: "elsewhere", "content-length": "600000" },
    body: sent,
  }));
  assertEquals(await new Response(response.body).text(), "fine");
  assertEquals(response.statusCode, 201);
  assertEquals(seen, ["PUT", "?a%20b=c%2Ad&flag&many=1&many=2", "600000", "yes"]);
  assertEquals(body, sent);
});

Deno.test("S3HttpHandler gives up when nothing comes, before an answer or amid it", async () => {
  const forever = Promise.withResolvers<void>();
  await using service = serve(async ({ url }) => {
    if (url.endsWith("?never")) await forever.promise;
    return new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(3)),
        pull: () => forever.promise,
      }),
    );
  });
  try {
    const handler = new S3HttpHandler(300);
    await assertRejects(
      () => handler.handle(service.request({ query: { never: null } })),
      StallError,
      "no answer within 0 s",
    );
    const { response } = await handler.handle(service.request());
    await assertRejects(() => new Response(response.body).bytes(), StallError);
  } finally {
    forever.resolve();
  }
});

Deno.test("S3HttpHandler ends a request that its caller gives up", async () => {
  const forever = Promise.withResolvers<void>();
  await using service = serve(async () => {
    await forever.promise;
    return new Response();
  });
  try {
    const controller = new AbortController();
    const ended = new S3HttpHandler(60_000).handle(service.request(), {
      abortSignal: controller.signal,
    });
    controller.abort(new RangeError("given up"));
    await assertRejects(() => ended, RangeError, "given up");
  } finally {
    forever.resolve();
  }
});
