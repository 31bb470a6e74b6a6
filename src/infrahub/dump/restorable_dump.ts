import type { DataFacts } from "../data_facts.ts";

/** A dump that can be restored. */
export interface RestorableDump {
  /** What it is, by its name: `neo4j.dump`, `neo4j-backup.tar`, `prefect.dump` or `storage.tar`. */
  readonly name: string;
  /** Length in bytes. */
  readonly bytes: number;
  /**
   * Hands all of it to `write`, authenticated; each piece is valid until `write` resolves.
   *
   * @throws when it cannot be read back as it was stored
   */
  copy(write: (bytes: Uint8Array) => Promise<void>, signal: AbortSignal): Promise<void>;
}

/** What a restore works from, wherever it is stored. */
export interface RestoreMaterial {
  /** Id of the backup; empty when it is not known. */
  readonly backupId: string;
  readonly infrahubVersion: string;
  /** Edition that the backup was made of; empty when it is not known. */
  readonly neo4jEdition: string;
  /** Of what wrote the data; undefined where nobody recorded it. */
  readonly data?: DataFacts;
  readonly neo4j: RestorableDump | undefined;
  readonly postgres: RestorableDump | undefined;
  /** Infrahub's stored objects; undefined in a backup without them. */
  readonly storage?: RestorableDump | undefined;
  /** Whether all of a backup is restored, or one component of it. */
  readonly isWhole: boolean;
}
