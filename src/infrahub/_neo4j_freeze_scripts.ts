/**
 * Shell programs that hold Neo4j's process in the instant between "databases closed" and "process
 * gone". Its shutdown closes the databases, then deletes the PID file, then ends; a container ends
 * with it, and nothing could be run in it any more. POSIX `sh`, and no file is copied.
 *
 * They talk through files in the run's work directory:
 *
 * | File | Meaning |
 * |---|---|
 * | `armed` | The watchdog is to go on; removing it calls the watchdog off. |
 * | `watchdog` | Process id of the watchdog. |
 * | `ready` | It is up and polls every 50 ms. |
 * | `stopping` | Neo4j is about to be stopped. |
 * | `hot` | It now looks without a pause. |
 *
 * @module
 */

/**
 * Arguments: work directory, PID file, process id, deadline in whole seconds.
 *
 * The last loop must not miss a moment that may last a millisecond, and so cannot start a `sleep`.
 * Where there is bash, its `read` on a pipe that nobody writes to pauses for half a millisecond: a
 * process that mostly sleeps is woken at once, while one that loops without a pause is made to wait
 * on a busy machine. One small measurement, 12 trials each on two cores with a load of about 10:
 * with a moment of 1 and of 5 ms bash caught 12 and 12, a bare loop 12 and 11; with three busy
 * processes more and 1 ms, 12 against 10; with these and 5 ms the bare loop caught 9, and bash was
 * not measured. A bare loop it is where there is no bash, and it may lose on a busy machine.
 *
 * The deadline is a process of its own: asking for the time would start one each time.
 */
const WATCHDOG = `trap '' HUP
dir=$1 pid_file=$2 pid=$3 seconds=$4
: >"$dir/armed"
echo "$$" >"$dir/watchdog"
(
  while [ "$seconds" -gt 0 ] && [ -e "$dir/armed" ]; do
    sleep 1
    seconds=$((seconds - 1))
  done
  rm -f "$dir/armed"
) &
: >"$dir/ready"
while [ -e "$dir/armed" ] && [ -e "$pid_file" ] && [ ! -e "$dir/stopping" ]; do
  sleep 0.05 2>/dev/null || sleep 1
done
if [ ! -e "$dir/stopping" ]; then
  echo 'ended by itself: called off, or Neo4j was stopped by somebody else'
  rm -f "$dir/armed"
  exit 0
fi
if command -v bash >/dev/null 2>&1 && mkfifo "$dir/pause" 2>/dev/null; then
  exec bash -c '
    exec 3<>"$1/pause"
    : >"$1/hot"
    while [[ -e $2 && -e $1/armed ]]; do read -r -t 0.0005 -u 3; done
    if [[ -e $1/armed ]]; then kill -STOP "$3" || echo "too late"; fi
    rm -f "$1/armed"
  ' infrahub-watchdog "$dir" "$pid_file" "$pid"
fi
: >"$dir/hot"
while [ -e "$pid_file" ] && [ -e "$dir/armed" ]; do :; done
if [ -e "$dir/armed" ]; then kill -STOP "$pid" || echo 'too late'; fi
rm -f "$dir/armed"
`;

/** Starts the watchdog in the background and waits, at most 10 s, until it is ready. */
const LAUNCH = `script=$1
shift
sh -c "$script" infrahub-watchdog "$@" </dev/null >"$1/log" 2>&1 &
tries=0
until [ -e "$1/ready" ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 200 ]; then
    cat "$1/log" >&2
    echo 'timeout waiting for the watchdog' >&2
    exit 1
  fi
  sleep 0.05 2>/dev/null || sleep 1
done
`;

/** Arguments: work directory, process id. Asks Neo4j to stop, once the watchdog looks closely. */
const STOP = `: >"$1/stopping"
tries=0
until [ -e "$1/hot" ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 200 ]; then
    cat "$1/log" >&2
    echo 'the watchdog does not answer' >&2
    exit 1
  fi
  sleep 0.05 2>/dev/null || sleep 1
done
kill "$2"
`;

/**
 * Arguments: process id, PID file. Prints the process's state letter, when it was started (a
 * restarted container may give its number again), and whether the PID file is there; or `gone`.
 *
 * The name of the process, which may hold anything, ends with the last parenthesis.
 */
const STATE = `if read -r line 2>/dev/null <"/proc/$1/stat"; then
  set -- "$2" \${line##*) }
  if [ -e "$1" ]; then present=present; else present=absent; fi
  shift
  echo "$1 \${20} $present"
else
  echo gone
fi
`;

/**
 * Arguments: work directory, process id, when it was started.
 *
 * The watchdog first: a stop that comes after our resumption would hold for ever. It is waited for,
 * at most 5 s, and not killed: after a restart its number may be somebody else's.
 */
const RESUME = `rm -f "$1/armed"
if read -r watchdog 2>/dev/null <"$1/watchdog"; then
  tries=0
  while kill -0 "$watchdog" 2>/dev/null && [ "$tries" -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.05 2>/dev/null || sleep 1
  done
fi
directory=$1 pid=$2 started=$3
if read -r line 2>/dev/null <"/proc/$pid/stat"; then
  set -- \${line##*) }
  if [ "\${20}" = "$started" ]; then
    kill -CONT "$pid" || exit 1
  fi
fi
rm -rf "$directory"
`;

/** Prints the process id that the PID file holds, and nothing when it is empty. */
export function readPidArgv(pidFile: string): string[] {
  return ["cat", pidFile];
}

/** What the watchdog is started with. */
export interface WatchdogOptions {
  readonly directory: string;
  readonly pidFile: string;
  readonly pid: number;
  /** After so long it gives up by itself. */
  readonly deadlineSeconds: number;
}

/** Starts the watchdog; ends when it is ready. */
export function launchWatchdogArgv(options: WatchdogOptions): string[] {
  const { directory, pidFile, pid, deadlineSeconds } = options;
  return [
    "sh",
    "-c",
    LAUNCH,
    "sh",
    WATCHDOG,
    directory,
    pidFile,
    String(pid),
    String(deadlineSeconds),
  ];
}

/** Asks Neo4j to stop. */
export function stopNeo4jArgv(directory: string, pid: number): string[] {
  return ["sh", "-c", STOP, "sh", directory, String(pid)];
}

/** A process as {@linkcode processStateArgv} shows it. */
export interface ProcessState {
  /** State letter of the kernel; `T` is stopped. */
  readonly state: string;
  /** Clock ticks between the machine's start and the process's. */
  readonly startTime: string;
  /** Whether the PID file is there. */
  readonly pidFilePresent: boolean;
}

/** Looks at the process. */
export function processStateArgv(pid: number, pidFile: string): string[] {
  return ["sh", "-c", STATE, "sh", String(pid), pidFile];
}

/** @returns undefined when there is no such process */
export function parseProcessState(output: string): ProcessState | undefined {
  const match = /^([A-Za-z]) (\d+) (present|absent)$/.exec(output.trim());
  if (match === null) {
    if (output.trim() === "gone") return undefined;
    throw new Error(`unexpected state of the Neo4j process: ${JSON.stringify(output)}`);
  }
  const [, state = "", startTime = "", presence] = match;
  return { state, startTime, pidFilePresent: presence === "present" };
}

/** Calls the watchdog off, resumes the process, and removes the work directory. */
export function resumeNeo4jArgv(directory: string, pid: number, startTime: string): string[] {
  return ["sh", "-c", RESUME, "sh", directory, String(pid), startTime];
}
