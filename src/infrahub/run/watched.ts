import type { ComponentSource, RestorableDump, RestoreMaterial } from "../dump/mod.ts";
import type { Reporter } from "../reporter.ts";

/** The same sources; what is read from them is told to the reporter. */
export function watchedSources(
  sources: readonly ComponentSource[],
  reporter: Reporter,
): ComponentSource[] {
  return sources.map((source) => ({
    component: source.component,
    recordPath: source.recordPath,
    open: async (signal) => {
      const input = await source.open(signal);
      const { component } = source;
      let bytes = 0;
      const counter = new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, controller) {
          bytes += piece.length;
          reporter.progress?.({ component, bytes });
          controller.enqueue(piece);
        },
      });
      return { ...input, content: input.content.pipeThrough(counter) };
    },
  }));
}

/** The same material; what is verified and restored of it is told to the reporter. */
export function watchedMaterial(material: RestoreMaterial, reporter: Reporter): RestoreMaterial {
  return {
    ...material,
    neo4j: material.neo4j && watchedDump(material.neo4j, "neo4j", reporter),
    postgres: material.postgres && watchedDump(material.postgres, "postgres", reporter),
    storage: material.storage && watchedDump(material.storage, "storage", reporter),
  };
}

function watchedDump(dump: RestorableDump, component: string, reporter: Reporter): RestorableDump {
  return {
    name: dump.name,
    bytes: dump.bytes,
    copy: (write, signal) => {
      let bytes = 0;
      return dump.copy(async (piece) => {
        await write(piece);
        bytes += piece.length;
        reporter.progress?.({ component, bytes, bytesTotal: dump.bytes });
      }, signal);
    },
  };
}
