import type { FailedService } from "./agent.js";

/** What a service threw, as an error of the main thread: `message` is one line, `stack` is the service's own. For `cause`. */
export class ServiceFailure extends Error {
  override readonly name = "ServiceFailure";
  readonly service: string;
  readonly code: string;

  constructor({ service, code, message, stack }: FailedService) {
    super(message);
    this.service = service;
    this.code = code;
    if (stack !== undefined) this.stack = stack;
  }
}
