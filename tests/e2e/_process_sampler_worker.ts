/** Reads the command lines of all processes, again and again, until it is told to stop. */

/// <reference lib="deno.worker" />

/** Milliseconds between two looks: programs that matter live longer, and others want to work. */
const PAUSE_MS = 5;

const seen = new Set<string>();
let rounds = 0;
let isStopped = false;

self.onmessage = () => {
  isStopped = true;
};

function sample(): void {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      seen.add(Deno.readTextFileSync(`/proc/${name}/cmdline`));
    } catch {
      // It has ended meanwhile: NotFound, or ESRCH, which Deno has no class for.
    }
  }
  rounds++;
  if (rounds === 1) self.postMessage("sampling");
}

function turn(): void {
  sample();
  if (isStopped) {
    self.postMessage({ rounds, commandLines: [...seen] });
    self.close();
  } else {
    setTimeout(turn, PAUSE_MS);
  }
}

turn();
