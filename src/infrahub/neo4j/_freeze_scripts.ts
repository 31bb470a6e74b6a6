/**
 * Shell programs that hold Neo4j's process in the instant between "databases closed" and "process
 * gone". Its shutdown closes the databases, then deletes the PID file, then ends; a container ends
 * with it, and nothing could be run in it any more. POSIX `sh`, and no file is copied.
 *
 * One process, the watchdog, asks Neo4j to stop, holds it and resumes it, so that no stop can come
 * after the resumption. It runs as long as its standard input is open and something arrives there
 * from time to time, and resumes Neo4j when
 *
 * - its input ends: we are done, or were killed, or the client (`docker`, `kubectl`) was;
 * - nothing has arrived for a while: the network is gone, or we hang, and nobody has told it;
 * - Neo4j has not closed its databases by the deadline;
 * - somebody sends it TERM, or removes `armed`.
 *
 * Whatever reads or writes the database meanwhile ends with the container, which ends with Neo4j.
 * That does no harm: a dump only reads, and nothing is loaded into the database in use, see
 * `community.ts`. The one thing that must not be cut off, the exchange of the databases'
 * directories, makes the watchdog wait, 20 s at most, by the file `busy`.
 *
 * They talk through files in the run's work directory:
 *
 * | File | Meaning |
 * |---|---|
 * | `armed` | The watchdog is to go on; removing it calls the watchdog off. |
 * | `watchdog` | Process id of the watchdog, and when it was started. |
 * | `ready` | It is up. |
 * | `stopping` | Neo4j is to be stopped. |
 * | `hot` | Neo4j has been told to stop; the watchdog looks without a pause. |
 * | `held` | Neo4j has been held. |
 * | `alive` | Something has arrived. |
 * | `busy` | The databases' directories are being exchanged. |
 * | `log` | What the watchdog has to say. |
 *
 * @module
 */

import { DeploymentError } from "../deployment/mod.ts";

/**
 * Reads a process's state letter (`state`) and when it was started (`born`, in clock ticks since the
 * machine's start: a number may be given again). The process's name, which may hold anything, ends
 * with the last parenthesis.
 */
const LOOK = `look() {
  state= born=
  read -r line 2>/dev/null <"/proc/$1/stat" || return 1
  set -- \${line##*) }
  state=$1 born=\${20}
}
nap() {
  sleep 0.05 2>/dev/null || sleep 1
}
`;

/**
 * Arguments: work directory, PID file, process id, when that was started, seconds until it must have
 * closed its databases, seconds of silence that are borne.
 *
 * The hot loop must not miss a moment that may last a millisecond, and so cannot start a `sleep`.
 * Where there is bash, its `read` on a pipe that nobody writes to pauses for half a millisecond: a
 * process that mostly sleeps is woken at once, while one that loops without a pause is made to wait
 * on a busy machine. A bare loop it is where there is no bash. scripts/e2e/watchdog_trials.ts
 * measures it on a real Neo4j; its comment has the figures.
 *
 * The clock is a process of its own: asking for the time would start one each time. So is the line:
 * a POSIX shell cannot read with a time limit. Neither keeps our standard output open.
 */
const WATCHDOG = `${LOOK}
dir=$1 pid_file=$2 pid=$3 started=$4 seconds=$5 silence=$6
exec 3<&0 2>"$dir/log" || exit 1
trap 'rm -f "$dir/armed"' HUP INT TERM
# Nobody may be left to hear our last word.
trap '' PIPE
: >"$dir/armed"
look "$$"
echo "$$ $born" >"$dir/watchdog"
(
  while read -r _; do : >"$dir/alive"; done
  rm -f "$dir/armed"
) <&3 >/dev/null 2>&1 &
reader=$!
(
  quiet=0
  while [ -e "$dir/armed" ]; do
    sleep 1
    quiet=$((quiet + 1))
    if [ -e "$dir/alive" ]; then rm -f "$dir/alive"; quiet=0; fi
    [ -e "$dir/held" ] || seconds=$((seconds - 1))
    if [ "$quiet" -ge "$silence" ] || [ "$seconds" -le 0 ]; then rm -f "$dir/armed"; fi
  done
) </dev/null >/dev/null 2>&1 &
ticker=$!
: >"$dir/ready"
while [ -e "$dir/armed" ] && [ ! -e "$dir/stopping" ]; do nap; done
if [ -e "$dir/armed" ] && look "$pid" && [ "$born" = "$started" ] && [ -e "$pid_file" ]; then
  if command -v bash >/dev/null 2>&1 && mkfifo "$dir/pause" 2>/dev/null; then
    bash -c '
      exec 3<>"$1/pause"
      kill "$3" || exit 1
      : >"$1/hot"
      while [[ -e $2 && -e $1/armed ]]; do read -r -t 0.0005 -u 3; done
      if [[ ! -e $2 && -e $1/armed ]]; then kill -STOP "$3" && : >"$1/held"; fi
    ' infrahub-watchdog "$dir" "$pid_file" "$pid" </dev/null >/dev/null
  elif kill "$pid"; then
    : >"$dir/hot"
    while [ -e "$pid_file" ] && [ -e "$dir/armed" ]; do :; done
    if [ ! -e "$pid_file" ] && [ -e "$dir/armed" ]; then kill -s STOP "$pid" && : >"$dir/held"; fi
  fi
  if [ ! -e "$dir/hot" ]; then
    echo 'it may not be told to stop' >&2
    rm -f "$dir/armed"
  fi
else
  echo 'called off, or Neo4j was stopped by somebody else' >&2
  rm -f "$dir/armed"
fi
while [ -e "$dir/armed" ]; do nap; done
tries=0
while [ -e "$dir/busy" ] && [ "$tries" -lt 400 ]; do
  tries=$((tries + 1))
  nap
done
kill "$reader" "$ticker" 2>/dev/null
if look "$pid" && [ "$born" = "$started" ]; then
  # Others wait for this word, which may be lost when the container ends.
  kill -s CONT "$pid" && echo "resumed $pid"
else
  echo "gone $pid"
fi
rm -rf "$dir"
`;

/** Waits, at most 10 s, until the watchdog is ready. Argument: work directory. */
const AWAIT = `tries=0
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

/**
 * Argument: work directory. Has the watchdog stop Neo4j, and waits, at most 10 s, until it has told
 * it to.
 */
const STOP = `: >"$1/stopping" || exit 1
tries=0
until [ -e "$1/hot" ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 200 ] || [ ! -e "$1/armed" ]; then
    cat "$1/log" >&2
    echo 'the watchdog does not stop it' >&2
    exit 1
  fi
  sleep 0.05 2>/dev/null || sleep 1
done
`;

/**
 * Arguments: process id, PID file. Prints the process's state letter, when it was started, and
 * whether the PID file is there; or `gone`.
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
 * Arguments: work directory, process id, when it was started. For when the watchdog has not said
 * that it resumed Neo4j.
 *
 * The watchdog first: a stop that comes after our resumption would hold for ever. It is waited for
 * and never killed, for it is what resumes Neo4j; only when it is known to be gone, or to be stuck,
 * is that done here.
 */
const RESUME = `${LOOK}
directory=$1 pid=$2 started=$3
rm -f "$directory/armed"
if read -r watchdog since 2>/dev/null <"$directory/watchdog"; then
  tries=0
  while look "$watchdog" && [ "$born" = "$since" ] && [ "$state" != Z ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || break
    nap
  done
fi
if look "$pid" && [ "$born" = "$started" ]; then kill -CONT "$pid" || exit 1; fi
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
  /** See {@linkcode ProcessState.startTime}. */
  readonly startTime: string;
  /** Neo4j must have closed its databases after so long; otherwise it is let go. */
  readonly deadlineSeconds: number;
  /** When nothing has arrived for so long, nobody is there any more. */
  readonly silenceSeconds: number;
}

/** The watchdog: a command that holds Neo4j until its input ends. See above. */
export function watchdogArgv(options: WatchdogOptions): string[] {
  const { directory, pidFile, pid, startTime, deadlineSeconds, silenceSeconds } = options;
  return [
    "sh",
    "-c",
    WATCHDOG,
    "infrahub-watchdog",
    directory,
    pidFile,
    String(pid),
    startTime,
    String(deadlineSeconds),
    String(silenceSeconds),
  ];
}

/** Waits until the watchdog is up. */
export function awaitWatchdogArgv(directory: string): string[] {
  return ["sh", "-c", AWAIT, "infrahub-watchdog", directory];
}

/** Asks Neo4j to stop. */
export function stopNeo4jArgv(directory: string): string[] {
  return ["sh", "-c", STOP, "sh", directory];
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
    throw new DeploymentError(`unexpected state of the Neo4j process: ${JSON.stringify(output)}`);
  }
  const [, state = "", startTime = "", presence] = match;
  return { state, startTime, pidFilePresent: presence === "present" };
}

/** Calls the watchdog off, resumes the process, and removes the work directory. */
export function resumeNeo4jArgv(directory: string, pid: number, startTime: string): string[] {
  return ["sh", "-c", RESUME, "sh", directory, String(pid), startTime];
}

/** Whether the watchdog's last words say that it has resumed Neo4j, or that there is none left. */
export function saysResumed(output: string): boolean {
  return /^(resumed|gone) \d+$/m.test(output);
}
