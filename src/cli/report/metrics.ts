import { messageOf, ToolError } from "../../errors/mod.ts";
import { readTextIfThere, writeFileAtomically } from "../../files/mod.ts";

/** What a run did with one component. */
export interface ComponentMetrics {
  readonly component: string;
  readonly bytesRead?: number;
  readonly bytesNew?: number;
  readonly bytesStored?: number;
  readonly durationSeconds?: number;
}

/** What a run was about, as far as its options say. */
export interface MetricsPlace {
  /** The deployment, by its name, project or namespace. */
  readonly deployment?: string;
  /** The repository's location, without secrets. */
  readonly repository?: string;
}

/** A run that is over. */
export interface RunMetrics {
  /**
   * What tells its series from those of other runs whose files are collected on the same host; where
   * both were equal, one of them would be dropped.
   */
  readonly place: MetricsPlace;
  /** `create`, `restore` or `check`. */
  readonly operation: string;
  readonly version: string;
  readonly exitCode: number;
  /** Whether what was asked for exists, be it suspicious. */
  readonly isSuccess: boolean;
  /** When it ended. */
  readonly end: Date;
  readonly durationSeconds: number;
  /** Empty after a failure. */
  readonly components: readonly ComponentMetrics[];
}

/** A metric, and how it is explained to Prometheus and in the documentation. */
export interface MetricDefinition {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

const PLACE_LABELS = ["deployment", "repository"] as const;
const RUN_LABELS = ["operation", ...PLACE_LABELS] as const;
const COMPONENT_LABELS = ["operation", "component", ...PLACE_LABELS] as const;

/** All metrics, in the order in which they are written. */
export const METRICS = [
  {
    name: "infrahub_backup_build_info",
    help: "Always 1; the version that wrote this file is a label",
    labels: ["version", ...PLACE_LABELS],
  },
  {
    name: "infrahub_backup_last_run_success",
    help: "Whether the last run did what it was asked for: 1 or 0",
    labels: RUN_LABELS,
  },
  {
    name: "infrahub_backup_last_run_exit_code",
    help: "Exit code of the last run",
    labels: RUN_LABELS,
  },
  {
    name: "infrahub_backup_last_run_timestamp_seconds",
    help: "When the last run ended, in Unix time",
    labels: RUN_LABELS,
  },
  {
    name: "infrahub_backup_last_run_duration_seconds",
    help: "How long the last run took",
    labels: RUN_LABELS,
  },
  {
    name: "infrahub_backup_last_success_timestamp_seconds",
    help: "When the last run that succeeded ended, in Unix time; kept when later ones fail",
    labels: RUN_LABELS,
  },
  {
    name: "infrahub_backup_component_bytes_read",
    help: "Bytes of the component in the last run that succeeded",
    labels: COMPONENT_LABELS,
  },
  {
    name: "infrahub_backup_component_bytes_new",
    help: "Those of them that the repository did not have",
    labels: COMPONENT_LABELS,
  },
  {
    name: "infrahub_backup_component_bytes_stored",
    help: "Bytes that the component added to the repository, after compression",
    labels: COMPONENT_LABELS,
  },
  {
    name: "infrahub_backup_component_duration_seconds",
    help: "How long the component took in the last run that succeeded",
    labels: COMPONENT_LABELS,
  },
] as const satisfies readonly MetricDefinition[];

type MetricName = typeof METRICS[number]["name"];

/** Name and labels, as they stand in the file, and the value as text. */
type Series = Map<string, string>;

/**
 * Writes the file for Prometheus' textfile collector. What other operations have left in it stays, and
 * so does, after a failure, what is known of the last success. The file is replaced in one step.
 *
 * @throws {ToolError} when it cannot be written
 */
export async function writeMetrics(path: string, run: RunMetrics): Promise<void> {
  const earlier = parseMetrics(await readEarlier(path));
  const text = formatMetrics(run, earlier);
  try {
    // Until it is whole its name is not "*.prom", which the collector would read. And whatever the
    // umask: the collector runs as somebody else.
    await writeFileAtomically(path, text, { mode: 0o644, exactMode: true, replace: true });
  } catch (error) {
    throw new ToolError(`cannot write metrics to ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** The file's text after a run. */
export function formatMetrics(run: RunMetrics, earlier: ReadonlyMap<string, string>): string {
  const series: Series = new Map(earlier);
  const set = (name: MetricName, labels: Record<string, string>, value: number) =>
    void series.set(key(name, { ...labels, ...run.place }), String(value));
  const { operation, components, place } = run;
  const placeText = pairs({ ...place }).join(",");
  for (const old of [...series.keys()]) {
    if (old.startsWith("infrahub_backup_build_info{")) series.delete(old);
    // A component that the last success did not have is not part of its figures.
    const isOwn = old.includes(`operation=${JSON.stringify(operation)}`) &&
      old.endsWith(placeText === "" ? "}" : `,${placeText}}`);
    if (run.isSuccess && isOwn && old.startsWith("infrahub_backup_component_")) series.delete(old);
  }
  const end = Math.round(run.end.getTime() / 1_000);
  set("infrahub_backup_build_info", { version: run.version }, 1);
  set("infrahub_backup_last_run_success", { operation }, run.isSuccess ? 1 : 0);
  set("infrahub_backup_last_run_exit_code", { operation }, run.exitCode);
  set("infrahub_backup_last_run_timestamp_seconds", { operation }, end);
  set("infrahub_backup_last_run_duration_seconds", { operation }, run.durationSeconds);
  if (run.isSuccess) set("infrahub_backup_last_success_timestamp_seconds", { operation }, end);
  for (const { component, ...counts } of run.isSuccess ? components : []) {
    for (
      const [name, value] of [
        ["infrahub_backup_component_bytes_read", counts.bytesRead],
        ["infrahub_backup_component_bytes_new", counts.bytesNew],
        ["infrahub_backup_component_bytes_stored", counts.bytesStored],
        ["infrahub_backup_component_duration_seconds", counts.durationSeconds],
      ] as const
    ) {
      if (value !== undefined) set(name, { operation, component }, value);
    }
  }
  return METRICS.map(({ name, help }) => {
    const lines = [...series].filter(([id]) => id.startsWith(`${name}{`)).sort();
    return lines.length === 0 ? "" : [
      `# HELP ${name} ${help}\n`,
      `# TYPE ${name} gauge\n`,
      ...lines.map(([id, value]) => `${id} ${value}\n`),
    ].join("");
  }).join("");
}

/** The series of a file that this program wrote; anything else in it is passed over. */
export function parseMetrics(text: string): Map<string, string> {
  const lines = text.matchAll(/^(infrahub_backup_\w+\{.*\}) (-?[\d.e+]+)$/gm);
  return new Map([...lines].map(([, id = "", value = ""]) => [id, value]));
}

function key(name: string, labels: Record<string, string>): string {
  return `${name}{${pairs(labels).join(",")}}`;
}

function pairs(labels: Record<string, string>): string[] {
  return Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
}

async function readEarlier(path: string): Promise<string> {
  try {
    return await readTextIfThere(path) ?? "";
  } catch (error) {
    throw new ToolError(`cannot read metrics from ${path}: ${messageOf(error)}`, { cause: error });
  }
}
