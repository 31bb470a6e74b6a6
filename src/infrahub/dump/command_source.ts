import { streamCommand } from "../../environment/mod.ts";
import type { Component } from "../component.ts";
import type { ComponentSource } from "./source.ts";

/**
 * A component that a command writes to its standard output.
 *
 * @param stallTimeoutMs longest wait for the next byte, in milliseconds; 0 for no limit
 */
export function commandSource(
  component: Component,
  recordPath: string,
  argv: readonly string[],
  stallTimeoutMs: number,
): ComponentSource {
  return {
    component,
    recordPath,
    open(signal) {
      const { stdout, finished } = streamCommand({ argv, stallTimeoutMs, signal });
      return { content: stdout, finished };
    },
  };
}
