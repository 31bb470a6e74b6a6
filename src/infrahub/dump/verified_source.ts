import type { Neo4jEdition } from "../component.ts";
import { dumpInspector, inspectDump } from "./verification.ts";
import type { Reporter } from "../reporter.ts";
import type { ComponentSource } from "./source.ts";

/**
 * A source whose bytes are looked at while they pass: the stream fails instead of ending when they
 * are not the complete dump that they should be, so that it is never taken for a backup.
 */
export function verifiedSource(
  source: ComponentSource,
  edition: Neo4jEdition,
  reporter: Reporter,
): ComponentSource {
  const { component } = source;
  if (component === "metadata" || source.isVerified === true) return source;
  return {
    ...source,
    isVerified: true,
    async open(signal) {
      const opened = await source.open(signal);
      const inspector = dumpInspector(component, edition);
      const content = inspectDump(opened.content, inspector, ({ format, limitation }) => {
        reporter.debug(`The ${component} dump is complete: ${format}`, {
          ...(limitation === undefined ? {} : { limitation }),
        });
      });
      return { ...opened, content };
    },
  };
}
