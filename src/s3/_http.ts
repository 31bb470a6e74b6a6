import { ToolError } from "../errors/mod.ts";

/** How the SDK describes a request; its own type leaves the body open. */
export interface S3HttpRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  /** Encoded already. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface S3HttpResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: ReadableStream<Uint8Array>;
}

/** Nothing came for too long. */
export class StallError extends ToolError {}

/** What of a body is handed to the connection at a time. */
const PIECE_BYTES = 256 * 1024;

/** Who hears of a service that is silent, and after how many milliseconds. */
export interface SilenceListener {
  readonly afterMs: number;
  readonly tell: () => void;
}

/**
 * Sends the SDK's requests by `fetch`: proxies and certificates are the runtime's, a connection
 * that is cut is an error at once, and one that stalls is one after a while.
 */
export class S3HttpHandler {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #stallTimeoutMs: number;
  readonly #client: Deno.HttpClient | undefined;
  readonly #silence: SilenceListener | undefined;

  /**
   * @param stallTimeoutMs longest time without progress: until an answer begins, between two pieces
   * of it, or of what is sent
   * @param caCertificates PEM; trusted beside those of the runtime
   */
  constructor(stallTimeoutMs: number, caCertificates?: string, silence?: SilenceListener) {
    this.#stallTimeoutMs = stallTimeoutMs;
    this.#silence = silence;
    this.#client = caCertificates === undefined
      ? undefined
      : Deno.createHttpClient({ caCerts: [caCertificates] });
  }

  /** @throws {StallError} nothing came for too long, before or amid the answer */
  async handle(
    request: S3HttpRequest,
    { abortSignal }: { readonly abortSignal?: unknown } = {},
  ): Promise<{ response: S3HttpResponse }> {
    const body = bodyOf(request.body);
    const outer = abortSignal instanceof AbortSignal ? abortSignal : undefined;
    const watch = new Watch(outer, this.#silence);
    const expectMore = () => watch.expect(this.#stallTimeoutMs);
    expectMore();
    try {
      const response = await fetch(urlOf(request), {
        method: request.method,
        headers: {
          ...withoutHost(request.headers),
          // Else the runtime asks for compression, and the length is not that of the object.
          "accept-encoding": "identity",
        },
        redirect: "manual",
        signal: watch.signal,
        ...(body === undefined ? {} : {
          body: body.length > PIECE_BYTES ? new PiecewiseBody(body, expectMore) : body,
        }),
        ...(this.#client === undefined ? {} : { client: this.#client }),
      });
      return {
        response: {
          statusCode: response.status,
          headers: Object.fromEntries(response.headers),
          body: watched(response.body, watch, this.#stallTimeoutMs),
        },
      };
    } catch (error) {
      watch.end();
      throw error;
    }
  }

  /** Part of the SDK's contract. */
  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  /** Part of the SDK's contract: nothing can be configured later. */
  updateHttpClientConfig(): void {}

  /** Part of the SDK's contract: connections are the runtime's. */
  destroy(): void {}
}

/**
 * A body that is sent piece by piece. `fetch` copies an array twice before it sends it, which took
 * half as much memory again as a whole backup. A plain stream would be sent without the length
 * that S3 wants; of a Blob the length is known. Should a runtime not ask for the stream, the body is
 * empty, and the service refuses it: its checksum is another one.
 */
class PiecewiseBody extends Blob {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #onPiece: () => void;

  /** @param onPiece called when the connection has room for another piece, and after the last */
  constructor(bytes: Uint8Array<ArrayBuffer>, onPiece: () => void) {
    super();
    this.#bytes = bytes;
    this.#onPiece = onPiece;
  }

  override get size(): number {
    return this.#bytes.length;
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    let sent = 0;
    return new ReadableStream({
      pull: (controller) => {
        this.#onPiece();
        if (sent === this.#bytes.length) return controller.close();
        const piece = this.#bytes.subarray(sent, sent + PIECE_BYTES);
        sent += piece.length;
        controller.enqueue(piece);
      },
    }, { highWaterMark: 0 });
  }
}

/** Ends a request that makes no progress, or that its caller gives up. */
class Watch {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #onOuterAbort: () => void;
  readonly #silence: SilenceListener | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silenceTimer: ReturnType<typeof setTimeout> | undefined;
  #hasEnded = false;

  constructor(outer: AbortSignal | undefined, silence: SilenceListener | undefined) {
    this.#outer = outer;
    this.#silence = silence;
    this.#onOuterAbort = () => this.#controller.abort(outer?.reason);
    if (outer?.aborted) this.#onOuterAbort();
    else outer?.addEventListener("abort", this.#onOuterAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on, something has to happen within this time. */
  expect(milliseconds: number): void {
    this.pause();
    // A body may still be asked for when its request is over: it was refused before its end.
    if (this.#hasEnded) return;
    this.#timer = setTimeout(() => {
      this.#controller.abort(
        new StallError(`no answer within ${Math.round(milliseconds / 1000)} s`),
      );
    }, milliseconds);
    if (this.#silence !== undefined) {
      this.#silenceTimer = setTimeout(this.#silence.tell, this.#silence.afterMs);
    }
  }

  /** Nothing is expected: the reader takes its time. */
  pause(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#silenceTimer);
  }

  end(): void {
    this.#hasEnded = true;
    this.pause();
    this.#outer?.removeEventListener("abort", this.#onOuterAbort);
  }
}

function watched(
  body: ReadableStream<Uint8Array> | null,
  watch: Watch,
  stallTimeoutMs: number,
): ReadableStream<Uint8Array> {
  watch.pause();
  if (body === null) {
    watch.end();
    return new ReadableStream({ start: (controller) => controller.close() });
  }
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      watch.expect(stallTimeoutMs);
      try {
        const { done, value } = await reader.read();
        watch.pause();
        if (!done) return controller.enqueue(value);
        watch.end();
        controller.close();
      } catch (error) {
        watch.end();
        throw error;
      }
    },
    async cancel(reason) {
      watch.end();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

function bodyOf(body: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (body === undefined || body === null || body === "") return undefined;
  if (typeof body === "string") return new Uint8Array(new TextEncoder().encode(body));
  if (body instanceof Uint8Array && body.buffer instanceof ArrayBuffer) {
    return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  }
  throw new TypeError("An S3 request has a body of an unknown kind");
}

function urlOf({ protocol, hostname, port, path, query = {} }: S3HttpRequest): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => {
    if (value === null) return [escape(name)];
    return (Array.isArray(value) ? value : [value]).map((one) => `${escape(name)}=${escape(one)}`);
  });
  const search = pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  return `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}${search}`;
}

function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The runtime derives these from URL and body, and they are the same. */
function withoutHost(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !/^(?:host|content-length|expect)$/i.test(name)),
  );
}
