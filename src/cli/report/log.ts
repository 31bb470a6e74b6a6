import { configureSync, getLogger, type LogRecord } from "@logtape/logtape";
import type { Reporter, ReportFields } from "../../infrahub/mod.ts";
import { type CliContext, redactUrls } from "../process/mod.ts";
import {
  formatJson,
  formatPlain,
  formatTerminal,
  type LogEntry,
  type LogLevel,
  type LogLineType,
} from "./log_format.ts";
import { type ComponentState, describeProgress } from "./progress.ts";

/** How the log looks, and how much of it is shown. */
export interface LogOptions {
  readonly json: boolean;
  readonly level: LogLevel;
}

const CATEGORY = ["infrahub-backup"];

/** What the log needs of the world. */
export type LogContext = Pick<CliContext, "env" | "stderrIsTerminal" | "writeError">;

/** Sends the log to standard error from now on. */
export function configureLog(context: LogContext, options: LogOptions): void {
  const format = chooseFormat(context, options.json);
  configureSync({
    reset: true,
    sinks: { stderr: (record) => context.writeError(format(entryOf(record))) },
    loggers: [
      { category: CATEGORY, sinks: ["stderr"], lowestLevel: options.level },
      { category: ["logtape", "meta"], sinks: ["stderr"], lowestLevel: "error" },
    ],
  });
}

/** Reports to the log. */
export function logReporter(): Reporter {
  const logger = getLogger(CATEGORY);
  return {
    debug: (message, fields) => logger.debug(message, { ...fields }),
    info: (message, fields) => logger.info(message, { ...fields }),
    warn: (message, fields) => logger.warning(message, { ...fields }),
  };
}

/** Logs the error that ends the run. */
export function logError(message: string, fields: ReportFields = {}): void {
  getLogger([...CATEGORY, "error"]).error(message, { ...fields });
}

/** Logs how a component stands: for people in one text, for programs in numbers. */
export function reportProgress(state: ComponentState): void {
  const { component, bytes, bytesTotal, bytesNew, bytesStored, bytesPerSecond } = state;
  const numbers = {
    component,
    bytes,
    bytes_total: bytesTotal,
    bytes_new: bytesNew,
    bytes_stored: bytesStored,
    bytes_per_second: Math.round(bytesPerSecond),
  };
  getLogger([...CATEGORY, "progress"]).info(
    `Progress of ${component}: ${describeProgress(state)}`,
    Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined)),
  );
}

function chooseFormat(context: LogContext, json: boolean): (entry: LogEntry) => string {
  if (json) return formatJson;
  if (!context.stderrIsTerminal) return formatPlain;
  const coloured = !context.env("NO_COLOR");
  return (entry) => formatTerminal(entry, coloured);
}

function entryOf(record: LogRecord): LogEntry {
  const fields = Object.entries(record.properties).map(([key, value]) => [
    key,
    typeof value === "string" ? redactUrls(value) : value,
  ]);
  return {
    type: typeOf(record.category),
    time: new Date(record.timestamp),
    level: levelOf(record.level),
    // The text as it was given: braces in it are no placeholders.
    message: redactUrls(
      typeof record.rawMessage === "string" ? record.rawMessage : record.rawMessage.join(""),
    ),
    fields: Object.fromEntries(fields) as ReportFields,
  };
}

function typeOf(category: LogRecord["category"]): LogLineType {
  const [, type] = category;
  return type === "error" || type === "progress" ? type : "log";
}

function levelOf(level: LogRecord["level"]): LogLevel {
  if (level === "trace") return "debug";
  return level === "fatal" ? "error" : level;
}
