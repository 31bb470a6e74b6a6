/** A deployment is not there, or its services are not in the state that is needed. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
}
