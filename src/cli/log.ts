import { configureSync, getLogger, type LogRecord } from "@logtape/logtape";
import type { Reporter, ReportFields } from "../infrahub/mod.ts";
import type { CliContext } from "./context.ts";
import {
  formatJson,
  formatPlain,
  formatTerminal,
  type LogEntry,
  type LogLevel,
} from "./log_format.ts";
import { redactUrls } from "./redact.ts";

/** How the log looks, and how much of it is shown. */
export interface LogOptions {
  readonly json: boolean;
  readonly level: LogLevel;
}

const CATEGORY = ["infrahub-backup"];

/** Sends the log to standard error from now on. */
export function configureLog(context: CliContext, options: LogOptions): void {
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

/** Logs an error of the whole run. */
export function logError(message: string, fields: ReportFields = {}): void {
  getLogger(CATEGORY).error(message, { ...fields });
}

function chooseFormat(context: CliContext, json: boolean): (entry: LogEntry) => string {
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
    time: new Date(record.timestamp),
    level: levelOf(record.level),
    // The text as it was given: braces in it are no placeholders.
    message: redactUrls(
      typeof record.rawMessage === "string" ? record.rawMessage : record.rawMessage.join(""),
    ),
    fields: Object.fromEntries(fields) as ReportFields,
  };
}

function levelOf(level: LogRecord["level"]): LogLevel {
  if (level === "trace") return "debug";
  return level === "fatal" ? "error" : level;
}
