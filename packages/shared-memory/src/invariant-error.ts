/**
 * What must hold everywhere does not: a defect of the store, or memory that somebody else has written to. Nothing after it can be believed, so
 * nobody catches it to go on; a service thread ends with it. `code` is `ERR_INVARIANT`.
 */
export class InvariantError extends Error {
  readonly code = "ERR_INVARIANT";
}
