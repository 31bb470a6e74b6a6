/// <reference lib="deno.unstable" />

/** A service manager's end of the notification protocol: a real datagram socket. */
export class ServiceManager implements AsyncDisposable {
  /** What `NOTIFY_SOCKET` has to be. */
  readonly address: string;
  readonly #socket: Deno.DatagramConn;
  readonly #folder: string;
  readonly #messages: string[] = [];
  readonly #done: Promise<void>;
  #arrived = Promise.withResolvers<void>();

  private constructor(folder: string, address: string, socket: Deno.DatagramConn) {
    this.#folder = folder;
    this.address = address;
    this.#socket = socket;
    this.#done = this.#listen();
  }

  /** Listens under a path, or under an abstract name where the runtime knows these. */
  static async open(kind: "path" | "abstract" = "path"): Promise<ServiceManager> {
    const folder = await Deno.makeTempDir({ prefix: "notify_" });
    const name = kind === "path" ? `${folder}/socket` : `@infrahub-test-${crypto.randomUUID()}`;
    const socket = Deno.listenDatagram({ transport: "unixpacket", path: name.replace(/^@/, "\0") });
    return new ServiceManager(folder, name, socket);
  }

  /** All lines so far, in order. */
  get lines(): string[] {
    return this.#messages.flatMap((message) => message.trimEnd().split("\n"));
  }

  /** Waits for a line. */
  async until(matches: (line: string) => boolean): Promise<void> {
    while (!this.lines.some(matches)) await this.#arrived.promise;
  }

  async #listen(): Promise<void> {
    for await (const [bytes] of this.#socket) {
      this.#messages.push(new TextDecoder().decode(bytes));
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#done;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Whether the runtime knows abstract names; Deno 2.4 does not. */
export function knowsAbstractNames(): boolean {
  try {
    Deno.listenDatagram({ transport: "unixpacket", path: `\0${crypto.randomUUID()}` }).close();
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
