/** A small program that takes the place of another one, and remembers how it was called. */
export class StandIn implements AsyncDisposable {
  /** Path of the program. */
  readonly path: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = `${folder}/program`;
  }

  /**
   * @param body what it does, for a POSIX shell; `$DIR` is a folder of its own, `$*` its arguments.
   * `run_remotely CMD…` runs a command as a container would: it goes on when its client is killed,
   * and sees the end of its input then.
   */
  static async create(body: string): Promise<StandIn> {
    const standIn = new StandIn(await Deno.makeTempDir({ prefix: "ib-stand-in-" }));
    const script = `#!/bin/sh
DIR='${standIn.#folder}'
{ printf '%s\\0' "$@"; printf '\\001\\000'; } >>"$DIR/calls"
run_remotely() {
  fifo=$(mktemp -u "$DIR/in.XXXXXX")
  mkfifo "$fifo"
  cat <&3 >"$fifo" 2>/dev/null &
  relay=$!
  setsid "$@" <"$fifo" 3<&- &
  wait $!
  code=$?
  kill $relay 2>/dev/null
  return $code
}
exec 3<&0
${body}
`;
    await Deno.writeTextFile(standIn.path, script, { mode: 0o755 });
    return standIn;
  }

  /** Arguments of every call so far. */
  async calls(): Promise<string[][]> {
    const text = await Deno.readTextFile(`${this.#folder}/calls`).catch(() => "");
    return text.split("\u0001\0").slice(0, -1).map((call) => call.split("\0").slice(0, -1));
  }

  /** Forgets the calls so far. */
  async forget(): Promise<void> {
    await Deno.writeTextFile(`${this.#folder}/calls`, "");
  }

  /** Puts a file into the program's folder. */
  async put(name: string, content: string): Promise<void> {
    await Deno.writeTextFile(`${this.#folder}/${name}`, content);
  }

  /** Reads a file of the program's folder; empty when there is none. */
  async get(name: string): Promise<string> {
    return await Deno.readTextFile(`${this.#folder}/${name}`).catch(() => "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Runs what `docker compose -p P exec -T …` is asked to, on this host; the user is left out. */
export const DOCKER_EXEC = `
if [ "$4" = exec ]; then
  shift 5
  while :; do
    case "$1" in
      -u) shift 2 ;;
      -e) export "$2"; shift 2 ;;
      *) break ;;
    esac
  done
  shift
  run_remotely "$@"
  exit
fi`;

/** Runs what \`kubectl exec … -- CMD…\` is asked to, on this host. */
export const KUBECTL_EXEC = `
if [ "$1" = exec ]; then
  while [ "$1" != -- ]; do shift; done
  shift
  run_remotely "$@"
  exit
fi`;

/** Command lines of all processes of this host. */
export async function commandLines(): Promise<string[]> {
  const lines: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // A process may end while we look.
    lines.push(await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => ""));
  }
  return lines;
}

/** Resolves when no process of that id is left; the kernel's reaping is all that is waited for. */
export async function ended(pid: number): Promise<void> {
  for (;;) {
    const state = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => undefined);
    // A zombie has ended; its parent has not read its status yet.
    if (state === undefined || / [ZX] /.test(state)) return;
  }
}

/** Whether a process of that id runs. */
export async function isAlive(pid: number): Promise<boolean> {
  const state = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => undefined);
  return state !== undefined && !/ [ZX] /.test(state);
}

/** All of a stream, as text. */
export async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

/** Text as bytes. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
