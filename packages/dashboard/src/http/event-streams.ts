import type { ServerResponse } from "node:http";

/** @forTests */
export const CLIENTS_MOST = 16;
/** Of frames, one after another: half a minute in which the client has read nothing. */
const DROPPED_MOST = 120;
/** Four rounds are a second; the page gives up a stream that is silent for much longer. */
const QUIET_ROUNDS_MOST = 8;
/** A comment, in the words of server-sent events. */
const SIGN_OF_LIFE = Buffer.from(":\n\n");

/** What of a response is used. */
export type StreamResponse = Pick<ServerResponse, "write" | "writableLength" | "end" | "destroy" | "once">;

interface Client {
  readonly response: StreamResponse;
  dropped: number;
  /** The last state was dropped. */
  lacksState: boolean;
}

/**
 * The pages that watch, each a stream of server-sent events. A client that has not read what it got is sent nothing new: so each holds at
 * most one frame and one state in memory, and one that reads nothing for long is let go.
 */
export class EventStreams {
  readonly #clients = new Set<Client>();
  readonly #hello: Buffer;
  #state: Buffer | undefined;
  /** In which nothing was sent. */
  #quietRounds = 0;

  constructor(hello: unknown) {
    this.#hello = eventOf("hello", hello);
  }

  get size(): number {
    return this.#clients.size;
  }

  /** False when there are enough. */
  add(response: StreamResponse): boolean {
    if (this.#clients.size >= CLIENTS_MOST) return false;
    const client = { response, dropped: 0, lacksState: false };
    this.#clients.add(client);
    response.once("close", () => this.#clients.delete(client));
    response.write(this.#state === undefined ? this.#hello : Buffer.concat([this.#hello, this.#state]));
    return true;
  }

  frame(frame: unknown): void {
    this.#pass(eventOf("frame", frame));
  }

  /** What is said where there is no frame. */
  silent(silence: unknown): void {
    this.#pass(eventOf("silent", silence));
  }

  /** Once in each round, after what there is to say: samples that are costly are rare. */
  beat(): void {
    if (++this.#quietRounds < QUIET_ROUNDS_MOST) return;
    this.#quietRounds = 0;
    for (const { response } of this.#clients) if (response.writableLength === 0) response.write(SIGN_OF_LIFE);
  }

  #pass(event: Buffer): void {
    this.#quietRounds = -1;
    for (const client of this.#clients) {
      if (isBehind(client)) this.#drop(client);
      else if (client.lacksState && this.#state !== undefined) this.#sendState(client, this.#state);
      else client.response.write(event);
    }
  }

  state(state: unknown): void {
    this.#state = eventOf("state", state);
    for (const client of this.#clients) {
      // The frame of the same turn may still be on its way to the system.
      if (client.dropped > 0) client.lacksState = true;
      else this.#sendState(client, this.#state);
    }
  }

  close(): void {
    for (const { response } of this.#clients) response.end();
    this.#clients.clear();
  }

  #sendState(client: Client, state: Buffer): void {
    client.response.write(state);
    client.lacksState = false;
  }

  #drop(client: Client): void {
    if (++client.dropped < DROPPED_MOST) return;
    this.#clients.delete(client);
    client.response.destroy();
  }
}

/** What it was sent before has not left this process. */
function isBehind(client: Client): boolean {
  if (client.response.writableLength > 0) return true;
  client.dropped = 0;
  return false;
}

function eventOf(name: string, data: unknown): Buffer {
  return Buffer.from(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}
