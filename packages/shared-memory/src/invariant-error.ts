/**
 * What must hold everywhere does not: a defect of the store, or memory that somebody else has written to. Nothing after it can be believed:
 * who tries again after errors lets this one pass, and a service thread ends with it.
 */
export class InvariantError extends Error {
  readonly code = "ERR_INVARIANT";
}
