/** Variable that marks a command, and whatever it starts, inside a container. */
const MARK = "INFRAHUB_BACKUP_RUN";

// Sends TERM to whatever carries the mark ($0), and KILL to what is left after two seconds. The scan
// is slow where there are many processes; waiting costs nothing, for `kill` is part of the shell.
const SCRIPT = `marked() {
  for p in /proc/[0-9]*; do
    tr '\\0' '\\n' <"$p/environ" | grep -qxF "$0" && echo "\${p#/proc/}"
  done 2>/dev/null
}
alive() {
  for p in $left; do kill -0 "$p" 2>/dev/null && return 0; done
  return 1
}
left=$(marked)
for signal in TERM KILL; do
  [ -n "$left" ] || exit 0
  kill -$signal $left 2>/dev/null
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
