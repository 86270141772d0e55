import { randomBytes } from "node:crypto";
import { isAbortSignal, shownValue } from "@millrace/format";
import { type MessageStore, MillraceError } from "@millrace/store";

const PORT_MOST = 65_535;
const TOKEN = /^[\x21-\x7e]{16,512}$/;
const TOKEN_NEEDED = "16 to 512 visible ASCII characters are needed";
const TOKEN_BYTES = 24;
const NAMES: ReadonlySet<string> = new Set(["port", "host", "token", "signal"]);

/** What {@link serveDashboard} takes. */
export interface DashboardOptions {
  /** Default 0: one that is free, which {@link Dashboard.port} says. */
  readonly port?: number;
  /** What is listened on. Default `127.0.0.1`: only this machine. The page is not encrypted. */
  readonly host?: string;
  /** What a page needs to see anything: 16 to 512 visible ASCII characters. Default: a random one, in {@link Dashboard.url}. */
  readonly token?: string;
  /** Closes it. */
  readonly signal?: AbortSignal;
}

export type CheckedOptions = Required<Omit<DashboardOptions, "signal">> & Pick<DashboardOptions, "signal">;

/** @throws MillraceError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_ILLEGAL` */
export function checkOptions(options: DashboardOptions): CheckedOptions {
  if (typeof options !== "object" || options === null) throw illegal("options", options, "options are an object");
  for (const name of Object.keys(options)) {
    if (!NAMES.has(name))
      throw new MillraceError("ERR_OPTION_UNKNOWN", `serveDashboard takes ${[...NAMES].join(", ")}: name=${name}`);
  }
  const { port = 0, host = "127.0.0.1", token = randomBytes(TOKEN_BYTES).toString("base64url"), signal } = options;
  if (!Number.isInteger(port) || port < 0 || port > PORT_MOST)
    throw illegal("port", port, `a port is an integer from 0 to ${PORT_MOST}`);
  if (typeof host !== "string" || host === "") throw illegal("host", host, "an address or a name of this machine is needed");
  if (typeof token !== "string") throw illegal("token", token, TOKEN_NEEDED);
  // Its value is not shown: it is a secret all the same.
  if (!TOKEN.test(token)) throw new MillraceError("ERR_OPTION_ILLEGAL", `${TOKEN_NEEDED}: token of length ${token.length}`);
  if (signal !== undefined && !isAbortSignal(signal))
    throw illegal("signal", signal, "an AbortSignal is needed, as the signal of an AbortController is one");
  return { port, host, token, ...(signal === undefined ? {} : { signal }) };
}

/**
 * By what it can do, so that a store of another copy of the package is one.
 *
 * @throws MillraceError `ERR_OPTION_ILLEGAL`
 */
export function checkStore(store: unknown): void {
  const { config, stats, queueStats } = (store ?? {}) as Partial<MessageStore>;
  if (typeof config === "object" && typeof stats === "function" && typeof queueStats === "function") return;
  throw illegal("store", store, "a store is needed, as MessageStore.open and openReadOnly answer it");
}

function illegal(name: string, value: unknown, reason: string): MillraceError {
  return new MillraceError("ERR_OPTION_ILLEGAL", `${reason}: ${name}=${shownValue(value)}`);
}
