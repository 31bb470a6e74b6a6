/** Values that belong to a message, by name. */
export type ReportFields = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** Receives what happens during a run; whoever calls this layer decides how it is shown. */
export interface Reporter {
  /** A detail for whoever looks for a fault. */
  debug(message: string, fields?: ReportFields): void;
  /** A milestone. */
  info(message: string, fields?: ReportFields): void;
  /** Something is not as it should be, but the run goes on. */
  warn(message: string, fields?: ReportFields): void;
}
