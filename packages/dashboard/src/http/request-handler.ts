import type { IncomingMessage, ServerResponse } from "node:http";
import type { Access } from "./access.js";
import type { PageFile } from "./page-files.js";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

/** Of every answer. */
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};

/** What an answer needs the token for: by path, from the parameters to what is sent as JSON, or a stream of its own. */
export interface Data {
  readonly answers: ReadonlyMap<string, (request: URLSearchParams) => unknown>;
  /** False: there are enough streams. */
  readonly openStream: (response: ServerResponse) => boolean;
}

/** Answers requests. There is no way to write anything: GET and HEAD are all that is known. */
export class RequestHandler {
  readonly #access: Access;
  readonly #files: ReadonlyMap<string, PageFile>;
  readonly #data: Data;

  constructor(access: Access, files: ReadonlyMap<string, PageFile>, data: Data) {
    this.#access = access;
    this.#files = files;
    this.#data = data;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (!this.#access.isHostAllowed(request)) return refuse(response, 421, "this host is not served here");
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      return refuse(response, 405, "nothing can be written here");
    }
    const [path = "", query = ""] = (request.url ?? "").split("?", 2);
    const file = this.#files.get(path);
    if (file !== undefined) {
      response.setHeader("content-type", file.type);
      response.end(file.content);
      return;
    }
    this.#handleData(request, response, path, query);
  }

  #handleData(request: IncomingMessage, response: ServerResponse, path: string, query: string): void {
    const answer = this.#data.answers.get(path);
    if (answer === undefined && path !== "/events") return refuse(response, 404, "there is nothing here");
    if (!this.#access.hasToken(request)) {
      response.setHeader("www-authenticate", "Bearer");
      return refuse(response, 401, "the token is missing or wrong");
    }
    if (answer !== undefined) {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(answer(new URLSearchParams(query))));
      return;
    }
    response.setHeader("content-type", "text/event-stream");
    if (request.method === "HEAD" || !this.#data.openStream(response)) {
      refuse(response, request.method === "HEAD" ? 200 : 503, "too many pages watch");
    }
  }
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.statusCode = status;
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end(`${reason}\n`);
}
