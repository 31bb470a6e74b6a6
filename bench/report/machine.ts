/** The machine as one line for people: processor, memory, kernel. */
export async function describeMachine(): Promise<string> {
  const cpu = /^model name\s*:\s*(.+)$/m.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1];
  const gibibytes = (Deno.systemMemoryInfo().total / 2 ** 30).toFixed(1);
  return `${navigator.hardwareConcurrency} cores (${cpu ?? Deno.build.arch}), ` +
    `${gibibytes} GiB of memory, Linux ${Deno.osRelease()}`;
}
