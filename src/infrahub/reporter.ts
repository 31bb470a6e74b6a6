/** Values that belong to a message, by name. */
export type ReportFields = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** How far one part of a run has come. */
export interface ComponentProgress {
  /** The component, or the dump, that is worked on. */
  readonly component: string;
  /** Plain bytes that have passed so far. */
  readonly bytes: number;
  /** Plain bytes that will have passed in the end, where that is known. */
  readonly bytesTotal?: number;
  /** Those of `bytes` that the repository did not have, where they go into one. */
  readonly bytesNew?: number;
  /** Bytes added to the repository so far, where they go into one. */
  readonly bytesStored?: number;
}

/** Receives what happens during a run; whoever calls this layer decides how it is shown. */
export interface Reporter {
  /** A detail for whoever looks for a fault. */
  debug(message: string, fields?: ReportFields): void;
  /** A milestone. */
  info(message: string, fields?: ReportFields): void;
  /** Something is not as it should be, but the run goes on. */
  warn(message: string, fields?: ReportFields): void;
  /** Bytes have passed; called often, and cheap where nobody wants to know. */
  progress?(progress: ComponentProgress): void;
}
