import { parseS3Location, S3Bucket, type S3Settings } from "../../../src/s3/mod.ts";

/** A request that came, as far as tests look at it. */
export interface Seen {
  readonly method: string;
  /** Path and query, such as `/bkt/key?uploads=`. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** What a scripted service answers to a request. */
export type Answer = (request: Seen) => Response | Promise<Response>;

/** A service that answers what a test says, on this machine's loopback. */
export interface ScriptedService extends AsyncDisposable {
  /** All requests so far, in order. */
  readonly seen: Seen[];
  /** `METHOD /path?query` of them. */
  lines(): string[];
  /** A client of the bucket `bkt`; tries three times, at once. */
  bucket(settings?: S3Settings): S3Bucket;
}

/** Starts one; it is given up when the block ends. */
export function startService(answer: Answer): ScriptedService {
  const seen: Seen[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      const one = {
        method: request.method,
        target: pathname + search,
        headers: request.headers,
        body: await request.bytes(),
      };
      seen.push(one);
      return await answer(one);
    },
  );
  return {
    seen,
    lines: () => seen.map(({ method, target }) => `${method} ${target}`),
    bucket: (settings = {}) =>
      new S3Bucket(parseS3Location(`s3://AK:SK@127.0.0.1:${server.addr.port}/bkt`), {
        env: () => undefined,
        region: "us-east-1",
        retries: { attempts: 3, firstDelayMs: 1, maximumDelayMs: 1 },
        ...settings,
      }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** An answer that refuses, as services do. */
export function refusal(code: string, status: number, more = ""): Response {
  return new Response(`<Error><Code>${code}</Code><Message>said so</Message>${more}</Error>`, {
    status,
    headers: { "content-type": "application/xml" },
  });
}

/** An answer in XML. */
export function xml(text: string): Response {
  return new Response(`<?xml version="1.0"?>${text}`, {
    headers: { "content-type": "application/xml" },
  });
}

/** An answer with the range of `content` that the request asks for. */
export function ranged(content: Uint8Array<ArrayBuffer>, { headers }: Seen): Response {
  const [, from = "0", to = ""] = /^bytes=(\d+)-(\d+)$/.exec(headers.get("range") ?? "") ?? [];
  const start = Number(from);
  if (start >= content.length) return refusal("InvalidRange", 416);
  const end = Math.min(Number(to), content.length - 1);
  return new Response(content.subarray(start, end + 1), {
    status: 206,
    headers: { "content-range": `bytes ${start}-${end}/${content.length}`, etag: '"e1"' },
  });
}
