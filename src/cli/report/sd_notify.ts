import { messageOf } from "../../errors/mod.ts";

/// <reference lib="deno.unstable" />

/** Longest wait for the last notifications to be taken, in milliseconds. */
const LAST_WORDS_MS = 1_000;

/** How often time is asked for while the run is being ended, and how much, in milliseconds. */
const EXTEND_EVERY_MS = 10_000;
const EXTEND_BY_MS = 60_000;

/** What the notifier needs of the world. */
export interface NotifierWorld {
  readonly env: (name: string) => string | undefined;
  /** Calls again and again; the result ends it. */
  readonly repeat: (milliseconds: number, action: () => void) => () => void;
  /** This process. */
  readonly pid: number;
  /** Told once, the first time that something does not work. */
  readonly onProblem: (message: string) => void;
}

/**
 * Tells the service manager how the run stands, by the protocol of sd_notify(3): datagrams to the
 * socket that `NOTIFY_SOCKET` names. Without that variable it does nothing; what cannot be told is not
 * told, and the run goes on: a backup never fails because of this.
 *
 * The socket's name is a path, or begins with `@`, which stands for the zero byte of Linux' abstract
 * names. Deno 2.4 cannot send to those; this is said as a problem there.
 */
export class ServiceNotifier {
  readonly #world: NotifierWorld;
  readonly #address: string;
  #socket: Deno.DatagramConn | undefined;
  #sent: Promise<void> = Promise.resolve();
  #isHeard = true;
  readonly #timers: (() => void)[] = [];
  #isStopping = false;
  #status = "";

  private constructor(world: NotifierWorld, address: string) {
    this.#world = world;
    this.#address = address;
  }

  /** The notifier of this process; one that nobody listens to is undefined. */
  static open(world: NotifierWorld): ServiceNotifier | undefined {
    const name = world.env("NOTIFY_SOCKET");
    if (!name) return undefined;
    const notifier = new ServiceNotifier(world, name.replace(/^@/, "\0"));
    try {
      notifier.#socket = bindSomewhere(world.env);
    } catch (error) {
      notifier.#giveUp(error);
    }
    return notifier;
  }

  /** The run has begun: the service is up, and gives signs of life from now on. */
  ready(status: string): void {
    this.#status = status;
    this.#send(["READY=1", `STATUS=${status}`]);
    const interval = watchdogInterval(this.#world);
    if (interval === undefined) return;
    this.#send(["WATCHDOG=1"]);
    this.#timers.push(this.#world.repeat(interval, () => this.#send(["WATCHDOG=1"])));
  }

  /** One line for `systemctl status`. */
  status(status: string): void {
    if (status === this.#status || this.#isStopping) return;
    this.#status = status;
    this.#send([`STATUS=${status}`]);
  }

  /** The run is being ended before its time, and everything put back: asks for the time it takes. */
  stopping(status: string): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#send(["STOPPING=1", `STATUS=${status}`, extension()]);
    this.#timers.push(this.#world.repeat(EXTEND_EVERY_MS, () => this.#send([extension()])));
  }

  /** The run is over. Resolves when that has been taken, or is not going to be. */
  async close(status: string): Promise<void> {
    this.#send([...(this.#isStopping ? [] : ["STOPPING=1"]), `STATUS=${status}`]);
    for (const stop of this.#timers.splice(0)) stop();
    if (this.#socket === undefined) return;
    // A service manager that does not read must not keep the run from ending.
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LAST_WORDS_MS);
    await Promise.race([this.#sent, enough]);
    clearTimeout(timer);
    this.#isHeard = false;
    this.#socket.close();
    this.#socket = undefined;
  }

  /** Sends in order, without anybody waiting for it. */
  #send(lines: readonly string[]): void {
    const text = lines.map((line) => `${line.replaceAll(/\p{Cc}/gu, " ")}\n`).join("");
    this.#sent = this.#sent.then(async () => {
      if (!this.#isHeard) return;
      try {
        await this.#socket?.send(new TextEncoder().encode(text), {
          transport: "unixpacket",
          path: this.#address,
        });
      } catch (error) {
        this.#giveUp(error);
      }
    });
  }

  #giveUp(error: unknown): void {
    if (!this.#isHeard) return;
    this.#isHeard = false;
    const name = this.#address.replace("\0", "@");
    const isAbstract = name.startsWith("@") && error instanceof TypeError;
    this.#world.onProblem(
      `Cannot notify the service manager at ${name}: ` +
        (isAbstract ? "this runtime knows no abstract socket names" : messageOf(error)),
    );
  }
}

function extension(): string {
  return `EXTEND_TIMEOUT_USEC=${EXTEND_BY_MS * 1_000}`;
}

/** Half of what the service manager waits for, in milliseconds; undefined when it does not wait. */
function watchdogInterval({ env, pid }: NotifierWorld): number | undefined {
  const microseconds = Number(env("WATCHDOG_USEC"));
  const watched = env("WATCHDOG_PID");
  if (!(microseconds > 0) || (watched && Number(watched) !== pid)) return undefined;
  return Math.max(1, Math.floor(microseconds / 2_000));
}

/**
 * A socket to send from. It needs a name of its own, of which nothing depends: an abstract one where
 * the runtime knows these, else a file that is removed at once.
 *
 * @throws when there is no place for it
 */
function bindSomewhere(env: (name: string) => string | undefined): Deno.DatagramConn {
  const name = `infrahub-backup-${crypto.randomUUID()}`;
  try {
    return bind(`\0${name}`);
  } catch (error) {
    // Deno 2.4 takes the zero byte for a mistake.
    if (!(error instanceof TypeError)) throw error;
  }
  const folders = [env("RUNTIME_DIRECTORY")?.split(":")[0], env("TMPDIR"), "/run", "/tmp"];
  let problem: unknown;
  for (const folder of folders) {
    if (!folder) continue;
    const path = `${folder}/.${name}`;
    try {
      const socket = bind(path);
      Deno.removeSync(path);
      return socket;
    } catch (error) {
      problem = error;
    }
  }
  throw problem;
}

function bind(path: string): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "unixpacket", path });
}
