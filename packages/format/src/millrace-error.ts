import type { MillraceErrorCode } from "./error-codes.js";

/**
 * Every error that Millrace throws or rejects with. `code` is stable, see `ERROR_CODES`; messages are one line that ends in `name=value`.
 */
export class MillraceError extends Error {
  override readonly name = "MillraceError";
  /** Stable; `ERROR_CODES[code]` says what it means and what helps. */
  readonly code: MillraceErrorCode;
  /** RocketMQ's PutMessageStatus for the same situation, where it has one. */
  readonly status: string | undefined;
  /** Whether the message's bytes may be in the log: `unknown` after a fence or a fault, otherwise `none`. */
  readonly outcome: "none" | "unknown";

  constructor(
    code: MillraceErrorCode,
    message: string,
    options: { status?: string; outcome?: "none" | "unknown"; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.outcome = options.outcome ?? "none";
  }
}
