/**
 * What the end-to-end tests need of a deployment, whatever it runs on: they are written once and run
 * over every implementation of {@linkcode TestBed}.
 *
 * @module
 */

import type { Fault } from "./faults.ts";

/** One of the two databases that are backed up. */
export type Database = "neo4j" | "postgres";

/** A direction of the data. */
export type Operation = "dump" | "restore";

/** A program that can be spoilt: what dumps, or takes a dump. */
export interface Target {
  readonly database: Database;
  readonly operation: Operation;
}

/** Everything in both databases, one line per thing, sorted: equal data has equal lines. */
export interface Data {
  readonly neo4j: readonly string[];
  readonly postgres: readonly string[];
}

/** A moment in a run of the tool that can be seen from outside. */
export interface Instant {
  /** For the test's name, such as `"Neo4j is being stopped"`. */
  readonly name: string;
  /**
   * Matches an event of the run: a line of its standard error, or `started: PROGRAM ARGUMENTS` of a
   * client program (see {@linkcode TestBed.clients}).
   */
  readonly event: RegExp;
  /**
   * A program that stalls for the time of the run, so that it is still at that moment when the
   * signal comes; nothing is spoilt when left out.
   */
  readonly stall?: Target;
}

/** A deployment with data in it, and how the tool is pointed at it. */
export interface TestBed extends AsyncDisposable {
  /** Platform and edition for the tests' names; says which parts are stand-ins. */
  readonly name: string;
  readonly neo4jEdition: "community" | "enterprise";
  /** Global arguments that make the tool work on this deployment. */
  readonly toolArguments: readonly string[];
  /** What its environment has to have; `PATH` when the programs of the bed are not on it. */
  readonly toolEnvironment: Readonly<Record<string, string>>;
  /** Names of the programs, found by `PATH`, by which the tool reaches the deployment. */
  readonly clients: readonly string[];
  /** Moments of a `create` and of a `restore`, in their order, at which to end it. */
  readonly instants: {
    readonly create: readonly Instant[];
    readonly restore: readonly Instant[];
  };

  /** Fills both databases; the same argument makes the same data. */
  seed(name: string): Promise<void>;
  /** Creates, changes and deletes something in both databases. */
  change(name: string): Promise<void>;
  /** Waits until both databases answer, then reads everything in them. */
  readAll(): Promise<Data>;
  /** The same of PostgreSQL alone, when Neo4j is lost. */
  readPostgres(): Promise<readonly string[]>;

  /**
   * Runs `body` while the program that dumps (or restores) a database is a spoilt one, as
   * {@linkcode Fault} says. Afterwards it is the real one again.
   */
  withFault<T>(target: Target, fault: Fault, body: () => Promise<T>): Promise<T>;

  /**
   * Asserts that the deployment is as it was before the tool came, right now: all services run (with
   * their number of replicas), both databases answer, no process is held, nothing that the tool
   * started still runs, no work directory, temporary database or file of it is left.
   *
   * @param lost databases that the tool has said to be unusable: they need not answer
   * @throws {AssertionError} saying what is not as before
   */
  assertBackToNormal(lost?: readonly Database[]): Promise<void>;
}
