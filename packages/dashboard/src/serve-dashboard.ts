import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIP } from "node:net";
import { EventStream } from "./event-stream.js";
import { FrameSource, type ShownStore } from "./frame-source.js";
import { searchMessages } from "./message-search.js";
import { type PageFile, readPageFiles } from "./page-files.js";
import { cookieOf, newToken, TokenCheck } from "./token.js";

/** What {@link serveDashboard} takes. */
export interface DashboardOptions {
  /** Default 0: any free one. */
  readonly port?: number;
  /** The address to listen at. Default `127.0.0.1`: this machine alone. */
  readonly host?: string;
  /** Whoever has it may look. Default: one is drawn; {@link Dashboard.url} carries it. */
  readonly token?: string;
}

/** A page that is being served. */
export interface Dashboard extends AsyncDisposable {
  /** With the token: whoever has this address may look. */
  readonly url: string;
  readonly port: number;
  /** Pages that are open. */
  readonly clients: number;
  /** Ends it; the store stays open. Idempotent. */
  close(): Promise<void>;
}

/** Four frames a second. */
const FRAME_MS = 250;
const LOCAL_NAMES = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Nothing from elsewhere, no script or style in the page itself, nobody's frame. */
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/**
 * Serves one page that shows a store live: the pipeline, what limits it, the log, queues and lags, errors, and a search. It only looks.
 * The store is one that this process has open, or one that it reads beside another. Does not keep the process alive by its timer, but by
 * its socket, until it is closed.
 * @throws the system's error when the port cannot be had
 */
export async function serveDashboard(store: ShownStore, options: DashboardOptions = {}): Promise<Dashboard> {
  const { port = 0, host = "127.0.0.1", token = newToken() } = options;
  const page = new DashboardServer(store, token, host);
  await page.listen(port);
  return page;
}

class DashboardServer implements Dashboard {
  readonly #server: Server;
  readonly #store: ShownStore;
  readonly #files: ReadonlyMap<string, PageFile> = readPageFiles();
  readonly #events: EventStream;
  readonly #token: string;
  readonly #check: TokenCheck;
  readonly #host: string;

  constructor(store: ShownStore, token: string, host: string) {
    const source = new FrameSource(store);
    this.#store = store;
    this.#token = token;
    this.#host = host;
    this.#check = new TokenCheck(token);
    this.#events = new EventStream(() => source.next(), FRAME_MS);
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  get url(): string {
    const name = isIP(this.#host) === 6 ? `[${this.#host}]` : this.#host;
    return `http://${name}:${this.port}/?token=${encodeURIComponent(this.#token)}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  get clients(): number {
    return this.#events.clients;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, this.#host, resolve);
    });
  }

  async close(): Promise<void> {
    this.#events.close();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://millrace");
    if (!this.#isOwnName(request)) return refuse(response, 421, "this page is served under another name");
    if (request.method !== "GET") return refuse(response, 405, "this page only looks");
    if (pathname === "/" && this.#check.inAddress(searchParams)) {
      // The token leaves the address bar, and with it history and screenshots.
      response.writeHead(303, { location: "/", "set-cookie": cookieOf(this.#token) }).end();
      return;
    }
    if (!this.#check.isAllowed(request)) return refuse(response, 401, "open the address that was printed: it carries the token");
    if (pathname === "/events") return this.#stream(response);
    if (pathname === "/messages") return sendJson(response, searchMessages(this.#store, searchParams));
    const file = this.#files.get(pathname);
    if (file === undefined) return refuse(response, 404, "there is no such page");
    response.writeHead(200, { "content-type": file.type, "content-length": file.content.length }).end(file.content);
  }

  /** A page of elsewhere whose name leads here (DNS rebinding) asks under that name. */
  #isOwnName(request: IncomingMessage): boolean {
    const name = (request.headers.host ?? "").replace(/:\d+$/, "");
    if (LOCAL_NAMES.has(name)) return true;
    return name === this.#host || name === `[${this.#host}]` || isIP(name.replace(/^\[|\]$/g, "")) !== 0;
  }

  #stream(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream" });
    this.#events.add(response);
  }
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${reason}\n`);
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(value));
}
