/**
 * A proxy between a client and an S3 server that spoils requests: it passes bytes on as they are,
 * signatures and all, one connection a request.
 *
 * @module
 */

/** What goes wrong with a request. */
export type Fault =
  /** The connection closes before the server hears of it. */
  | "reset"
  /** The server has done it, and the connection closes without an answer. */
  | "lost-answer"
  /** Half of the server's answer comes. */
  | "half-answer"
  /** The server has done it, and the answer never comes. */
  | "stall"
  | "internal-error"
  | "slow-down"
  | "expired-token"
  /** As a policy does; not one that passes by itself. */
  | "denied"
  /** The last bit of the request's body changes on its way; nothing happens to one without a body. */
  | "flipped-body"
  /** The server does not say which checksum it has looked at, as one that knows none of the newer. */
  | "silent-checksum"
  /** A request with one of the newer checksums is refused; others pass. */
  | "refused-checksum";

/** Those that pass by themselves. */
export const FAULTS: readonly Fault[] = [
  "reset",
  "lost-answer",
  "half-answer",
  "stall",
  "internal-error",
  "slow-down",
  "expired-token",
];

const ANSWERS: Readonly<Partial<Record<Fault, readonly [string, string]>>> = {
  "internal-error": ["500 Internal Server Error", "InternalError"],
  "slow-down": ["503 Slow Down", "SlowDown"],
  "expired-token": ["400 Bad Request", "ExpiredToken"],
  "denied": ["403 Forbidden", "AccessDenied"],
};

/** Decides what goes wrong; requests count from 1. */
export type FaultPlan = (number: number, line: string) => Fault | undefined;

/** Listens on loopback until it is disposed of. */
export class FaultProxy implements AsyncDisposable {
  /** Host and port. */
  readonly host: string;
  /** First lines of the requests since the last plan was set. */
  readonly requests: string[] = [];
  /** Their headers, each with its first line. */
  readonly heads: string[] = [];
  /** Faults that have shown since then. */
  injected = 0;
  readonly #listener: Deno.TcpListener;
  readonly #target: { hostname: string; port: number };
  readonly #open = new Set<Deno.TcpConn>();
  readonly #work = new Set<Promise<void>>();
  #plan: FaultPlan = () => undefined;

  /** @param target host and port of the server */
  constructor(target: string) {
    const [hostname = "", port] = target.split(":");
    this.#target = { hostname, port: Number(port) };
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.host = `127.0.0.1:${this.#listener.addr.port}`;
    this.#track(this.#accept());
  }

  /** From now on this goes wrong; nothing, when left out. Counts anew. */
  setPlan(plan: FaultPlan = () => undefined): void {
    this.#plan = plan;
    this.requests.length = 0;
    this.heads.length = 0;
    this.injected = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) close(connection);
    await Promise.all(this.#work);
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  async #accept(): Promise<void> {
    try {
      for await (const client of this.#listener) this.#track(this.#serve(client));
    } catch (error) {
      // The listener was closed.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    this.#open.add(client);
    try {
      const request = await readRequest(client);
      if (request === undefined) return;
      this.requests.push(request.line);
      this.heads.push(request.head);
      const fault = this.#plan(this.requests.length, request.line);
      if (fault !== undefined) this.injected++;
      if (fault === "reset") return;
      const answer = fault === undefined ? undefined : ANSWERS[fault];
      if (answer !== undefined) return await writeAll(client, errorAnswer(...answer));
      if (fault === "refused-checksum" && request.head.search(NEWER_CHECKSUM) >= 0) {
        return await writeAll(client, errorAnswer("501 Not Implemented", "NotImplemented"));
      }
      if (fault === "flipped-body" && request.bodyLength > 0) {
        request.bytes[request.bytes.length - 1]! ^= 1;
      }
      const answered = await this.#forward(request.bytes);
      const bytes = fault === "silent-checksum" ? withoutChecksums(answered) : answered;
      if (fault === "lost-answer") return;
      // Until the client has had enough, or all ends.
      if (fault === "stall") return void await client.read(new Uint8Array(1));
      await writeAll(client, fault === "half-answer" ? bytes.subarray(0, bytes.length / 2) : bytes);
    } catch (error) {
      // The client has given up, or all ends.
      if (!isClosed(error)) throw error;
    } finally {
      this.#open.delete(client);
      close(client);
    }
  }

  async #forward(request: Uint8Array): Promise<Uint8Array> {
    const server = await Deno.connect(this.#target);
    this.#open.add(server);
    try {
      await writeAll(server, request);
      const parts: Uint8Array[] = [];
      const buffer = new Uint8Array(64 * 1024);
      for (
        let count = await server.read(buffer);
        count !== null;
        count = await server.read(buffer)
      ) {
        parts.push(buffer.slice(0, count));
      }
      return join(parts);
    } finally {
      this.#open.delete(server);
      close(server);
    }
  }
}

/** Header lines with one of the newer checksums, or its name, in requests and answers. */
const NEWER_CHECKSUM = /\r\nx-amz-(?:checksum|sdk-checksum)-[^\r]*/gi;

function withoutChecksums(answer: Uint8Array): Uint8Array {
  const text = new TextDecoder("latin1").decode(answer);
  const end = text.indexOf("\r\n\r\n");
  const head = new TextEncoder().encode(text.slice(0, end).replace(NEWER_CHECKSUM, ""));
  return join([head, answer.subarray(end)]);
}

/** The n-th request goes wrong, the others do not. */
export function faultAt(n: number, fault: Fault): FaultPlan {
  return (number) => number === n ? fault : undefined;
}

/** The n-th request and all after it go wrong. */
export function faultFrom(n: number, fault: Fault): FaultPlan {
  return (number) => number >= n ? fault : undefined;
}

/** A whole request; its connection is asked to end after the answer. */
async function readRequest(
  client: Deno.TcpConn,
): Promise<{ line: string; head: string; bytes: Uint8Array; bodyLength: number } | undefined> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(256 * 1024);
  let head: string | undefined;
  let received = 0;
  let wanted = Infinity;
  while (received < wanted) {
    const count = await client.read(buffer);
    if (count === null) return undefined;
    parts.push(buffer.slice(0, count));
    received += count;
    if (head !== undefined) continue;
    const start = join(parts);
    const text = new TextDecoder("latin1").decode(start);
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    head = text.slice(0, end);
    wanted = end + 4 + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  }
  const all = join(parts);
  const body = all.subarray((head ?? "").length + 4);
  const lines = (head ?? "").split("\r\n").filter((line) => !/^connection:/i.test(line));
  const line = lines[0] ?? "";
  const sent = new TextEncoder().encode([...lines, "Connection: close", "", ""].join("\r\n"));
  return { line, head: lines.join("\r\n"), bytes: join([sent, body]), bodyLength: body.length };
}

function errorAnswer(status: string, code: string): Uint8Array {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code>` +
    `<Message>injected</Message></Error>`;
  return new TextEncoder().encode(
    `HTTP/1.1 ${status}\r\nContent-Type: application/xml\r\nContent-Length: ${body.length}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await connection.write(bytes.subarray(written));
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted;
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    // Closed already.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.length;
  }
  return bytes;
}
