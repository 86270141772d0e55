import type { ServerResponse } from "node:http";

/** Clients who take less than this are sent nothing meanwhile: a page that sleeps does not fill memory. */
const UNSENT_MAX = 1024 * 1024;

/** Pages that are open, each a response that never ends; whoever is slow misses frames. */
export class EventStream {
  readonly #responses = new Set<ServerResponse>();
  readonly #next: () => unknown;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param next what is sent; asked for only while somebody listens */
  constructor(next: () => unknown, intervalMs: number) {
    this.#next = next;
    this.#intervalMs = intervalMs;
  }

  get clients(): number {
    return this.#responses.size;
  }

  add(response: ServerResponse): void {
    this.#responses.add(response);
    response.on("close", () => this.#remove(response));
    this.#timer ??= setInterval(this.#send, this.#intervalMs).unref();
    this.#send();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const response of this.#responses) response.end();
    this.#responses.clear();
  }

  #remove(response: ServerResponse): void {
    this.#responses.delete(response);
    if (this.#responses.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  readonly #send = (): void => {
    const event = this.#event();
    for (const response of this.#responses) if (response.writableLength < UNSENT_MAX) response.write(event);
  };

  /** A store that cannot be read just now says so, and the page stays. */
  #event(): string {
    try {
      return `data: ${JSON.stringify(this.#next())}\n\n`;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return `event: trouble\ndata: ${JSON.stringify({ message })}\n\n`;
    }
  }
}
