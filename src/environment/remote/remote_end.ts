/** Variable that marks a command, and whatever it starts, inside a container. */
const MARK = "INFRAHUB_BACKUP_RUN";

// Sends TERM to whatever carries the mark ($0), and KILL to what is left after two seconds. All of it
// is stopped meanwhile: a shell whose child ends first would go on with its next command. A command
// that is not there yet is waited for, two seconds: its client may have been started just now, and
// would not be asked whether it still wants what the engine then starts. One grep
// looks at all processes where it can read variables as they are kept, ended by NUL; two programs
// for each process would be slow on a busy machine with many. Waiting costs nothing, for `kill` is
// part of the shell.
const SCRIPT = `marked() {
  if printf 'x\\0' | grep -qzxF x 2>/dev/null; then
    grep -lzxF "$0" /proc/[0-9]*/environ | while IFS=/ read -r _ _ p _; do echo "$p"; done
  else
    for p in /proc/[0-9]*; do
      tr '\\0' '\\n' <"$p/environ" | grep -qxF "$0" && echo "\${p#/proc/}"
    done
  fi 2>/dev/null
}
alive() {
  for p in $left; do kill -0 "$p" 2>/dev/null && return 0; done
  return 1
}
left=$(marked)
n=0
while [ -z "$left" ] && [ $n -lt 4 ]; do
  sleep 0.5 2>/dev/null || sleep 1
  n=$((n + 1))
  left=$(marked)
done
for signal in TERM KILL; do
  [ -n "$left" ] || exit 0
  kill -STOP $left 2>/dev/null
  kill -$signal $left 2>/dev/null
  kill -CONT $left 2>/dev/null
  n=0
  while [ $n -lt 10 ] && alive; do
    sleep 0.2 2>/dev/null || sleep 1
    n=$((n + 1))
  done
  left=$(marked)
done
[ -z "$left" ]`;

/** A new mark. Ending a client does not end what it runs in a container; the mark finds that. */
export function newMark(): { readonly name: string; readonly value: string } {
  return { name: MARK, value: crypto.randomUUID() };
}

/** The command that ends whatever carries the mark; to be run as the same user. */
export function endMarkedArgv(mark: { name: string; value: string }): readonly string[] {
  return ["sh", "-c", SCRIPT, `${mark.name}=${mark.value}`];
}
