/**
 * A prototype of stopping Neo4j Community without losing its container: the server is asked to end
 * and frozen between "databases closed" (it deletes its process id file) and "process gone".
 *
 * The watchdog is one POSIX-shell command run with `sh -c`: no file is copied, no program besides
 * the shell is needed. It holds the frozen server as long as its standard input stays open: a line
 * or the end of input resumes it. So the server comes back even when whoever froze it is killed.
 *
 * @module
 */

import { type Deployment } from "./deployment.ts";

/** Where the official image has the server's process id. */
export const PID_FILE = "/var/lib/neo4j/run/neo4j.pid";

/**
 * Arguments: process id file, seconds until it gives up. Says on stdout `ready PID`, then
 * `frozen PID` or why not; exit codes: 0 resumed, 3 no usable process id, 4 no right to signal it,
 * 5 the race was lost, 6 the server did not close its databases in time (it is left to itself).
 */
export const WATCHDOG = `
file=$1
read -r now rest < /proc/uptime
deadline=$(( \${now%%.*} + $2 ))
pid=
read -r pid < "$file"
case $pid in
  '' | *[!0-9]* | 0 | 1) echo "no process id: '$pid'"; exit 3 ;;
esac
echo "ready $pid"
kill -TERM "$pid" || { echo "no right to signal $pid"; exit 4; }
turn=0
while [ -e "$file" ]; do
  turn=$(( turn + 1 ))
  if [ "$turn" -eq 50000 ]; then
    turn=0
    read -r now rest < /proc/uptime
    if [ "\${now%%.*}" -ge "$deadline" ]; then echo 'deadline passed'; exit 6; fi
  fi
done
kill -STOP "$pid" || { echo "lost $pid"; exit 5; }
state=
until [ "$state" = T ]; do
  read -r stat < "/proc/$pid/stat" || { echo "lost $pid"; exit 5; }
  stat=\${stat##*) }
  state=\${stat%% *}
  case $state in Z | X) echo "lost $pid"; exit 5 ;; esac
done
echo "frozen $pid"
read -r line
kill -CONT "$pid"
`;

/** The race was lost, or the server could not be asked to end. */
export class FreezeError extends Error {
  override readonly name = "FreezeError";
}

/** A server that has closed its databases and does not go on until it is resumed. */
export class FrozenServer implements AsyncDisposable {
  /** The process that holds the line; exposed so that a test can kill it. */
  readonly client: Deno.ChildProcess;
  readonly pid: number;
  readonly #release: WritableStreamDefaultWriter<Uint8Array>;
  #resumed = false;

  constructor(
    client: Deno.ChildProcess,
    pid: number,
    release: WritableStreamDefaultWriter<Uint8Array>,
  ) {
    this.client = client;
    this.pid = pid;
    this.#release = release;
  }

  /** Lets the server end; the container's restart policy brings it back. Idempotent. */
  async resume(): Promise<void> {
    if (this.#resumed) return;
    this.#resumed = true;
    await this.#release.close();
    await this.client.status;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.resume();
  }
}

/** Freezes the server of a deployment. @throws {FreezeError} when that did not succeed. */
export async function freeze(deployment: Deployment, deadlineS = 120): Promise<FrozenServer> {
  const shell = ["sh", "-c", WATCHDOG, "watchdog", PID_FILE, `${deadlineS}`];
  const client = new Deno.Command("docker", {
    args: ["compose", "-p", deployment.project, "exec", "-T", "database", ...shell],
    env: { ...deployment.environment },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(client.stderr).text();
  const release = client.stdin.getWriter();
  let said = "";
  for await (
    const part of client.stdout.pipeThrough(new TextDecoderStream()).values({ preventCancel: true })
  ) {
    said += part;
    const pid = /^frozen (\d+)$/m.exec(said)?.[1];
    if (pid !== undefined) return new FrozenServer(client, Number(pid), release);
  }
  const { code } = await client.status;
  throw new FreezeError(`Watchdog exited ${code}: ${said.trim()} ${(await errors).trim()}`);
}
