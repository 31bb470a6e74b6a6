import type { Component } from "../component.ts";
import type { ComponentSource } from "./source.ts";

/** A component whose bytes are at hand. */
export function bytesSource(
  component: Component,
  recordPath: string,
  bytes: Uint8Array,
): ComponentSource {
  return {
    component,
    recordPath,
    open: () => ({
      content: new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(bytes);
          controller.close();
        },
      }),
      finished: Promise.resolve(),
    }),
  };
}
