import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type MessageStore, MillraceError, type ReadOnlyMessageStore } from "@millrace/store";
import { type CheckedOptions, checkOptions, checkStore, type DashboardOptions } from "./dashboard-options.js";
import { Access } from "./http/access.js";
import { EventStreams } from "./http/event-streams.js";
import { readPageFiles } from "./http/page-files.js";
import { RequestHandler } from "./http/request-handler.js";
import { FRAME_INTERVAL_MS, SampleSource } from "./sample/sample-source.js";
import { readRecord, searchMessages } from "./search/message-search.js";

const CONNECTIONS_MOST = 64;
const HEADERS_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 10_000;

let construct: (server: Server, streams: EventStreams, options: CheckedOptions) => Dashboard;

/** A page that is served; it ends with {@link close}, and keeps the process alive until then. It does not close the store. */
export class Dashboard implements AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** For a browser: it holds the token, after the `#`, which is not sent to anybody. */
  readonly url: string;
  readonly #server: Server;
  readonly #streams: EventStreams;
  readonly #signal: AbortSignal | undefined;
  #closing: Promise<void> | undefined;

  static {
    construct = (server, streams, options) => new Dashboard(server, streams, options);
  }

  private constructor(server: Server, streams: EventStreams, { token, host, signal }: CheckedOptions) {
    this.#server = server;
    this.#streams = streams;
    this.#signal = signal;
    this.host = host;
    this.port = (server.address() as AddressInfo).port;
    this.url = `http://${host.includes(":") ? `[${host}]` : host}:${this.port}/#token=${encodeURIComponent(token)}`;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Ends all streams and connections. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #onAbort = (): void => {
    void this.close();
  };

  async #close(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    const closed = once(this.#server, "close");
    this.#streams.close();
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

/**
 * Serves a page that shows what the pipeline of an open store does, four times a second, or what the directory of a store that another
 * process writes says of it; searched by key, id and offset. It changes nothing. While no page is open nothing is sampled. (RocketMQ:
 * rocketmq-dashboard, of a whole cluster.)
 * @throws MillraceError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_ILLEGAL`: an option, or what is no store; nothing was opened. `ERR_ABORTED`: by
 * `options.signal`; `ERR_DASHBOARD_LISTEN`: the system does not let it listen there
 */
export async function serveDashboard(
  store: MessageStore | ReadOnlyMessageStore,
  options: DashboardOptions = {},
): Promise<Dashboard> {
  checkStore(store);
  const checked = checkOptions(options);
  if (checked.signal?.aborted) throw aborted();
  const source = new SampleSource(store);
  const streams = new EventStreams(source.hello);
  const answers = new Map([
    ["/search", (request: URLSearchParams) => searchMessages(store, request)],
    ["/record", (request: URLSearchParams) => readRecord(store, request)],
  ]);
  const handler = new RequestHandler(new Access(checked.host, checked.token), readPageFiles(), {
    answers,
    openStream: (response) => streams.add(response),
  });
  const server = createServer((request, response) => handler.handle(request, response));
  server.maxConnections = CONNECTIONS_MOST;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  await listen(server, checked);
  const timer = setInterval(() => {
    if (streams.size === 0) return;
    source.sample(streams);
    streams.beat();
  }, FRAME_INTERVAL_MS);
  // Of a connection that the system does not let in, for want of descriptors say: the store's process lives on.
  server.on("error", () => {});
  server.once("close", () => clearInterval(timer));
  const dashboard = construct(server, streams, checked);
  if (!checked.signal?.aborted) return dashboard;
  await dashboard.close();
  throw aborted();
}

async function listen(server: Server, { port, host }: CheckedOptions): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError("ERR_DASHBOARD_LISTEN", `the page cannot be served there: host=${host} port=${port}: ${reason}`, {
      cause,
    });
  }
}

function aborted(): MillraceError {
  return new MillraceError("ERR_ABORTED", "the dashboard was aborted by its signal");
}
