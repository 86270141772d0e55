import { isAbortSignal } from "@millrace/format";
import { illegal } from "./illegal-option.js";
import { checkKnownKeys, knownKeys } from "./known-keys.js";

/** What calls take that last: copying, verifying. */
interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: never) => void;
}

const KNOWN_KEYS = knownKeys<CallOptions>({ signal: true, onProgress: true });

/** At the call, before anything is begun. @throws MillraceError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_ILLEGAL` */
export function checkCallOptions(options: CallOptions): void {
  checkObject(options);
  checkKnownKeys(options, KNOWN_KEYS, "ERR_OPTION_UNKNOWN", "option");
  checkSignal(options.signal);
  checkCallback("onProgress", options.onProgress);
}

/** @throws MillraceError `ERR_OPTION_ILLEGAL` */
export function checkObject(options: unknown): void {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw illegal("options", options, "options are an object");
}

/** @throws MillraceError `ERR_OPTION_ILLEGAL` */
export function checkSignal(signal: unknown): void {
  if (signal !== undefined && !isAbortSignal(signal)) throw illegal("signal", signal, "an AbortSignal is needed");
}

/** @throws MillraceError `ERR_OPTION_ILLEGAL` */
export function checkCallback(name: string, callback: unknown): void {
  if (callback !== undefined && typeof callback !== "function") throw illegal(name, callback, "a function is needed");
}
