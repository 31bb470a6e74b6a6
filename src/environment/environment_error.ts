import { ToolError } from "../errors/mod.ts";

/** A deployment is not there, or its services are not in the state that is needed. */
export class EnvironmentError extends ToolError {}
