import { randomBytes } from "node:crypto";
import { shownValue } from "@millrace/format";
import { MillraceError } from "@millrace/store";

const PORT_MOST = 65_535;
const TOKEN = /^[\x21-\x7e]{16,512}$/;
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
  for (const name of Object.keys(options)) {
    if (!NAMES.has(name))
      throw new MillraceError("ERR_OPTION_UNKNOWN", `serveDashboard takes ${[...NAMES].join(", ")}: name=${name}`);
  }
  const { port = 0, host = "127.0.0.1", token = randomBytes(TOKEN_BYTES).toString("base64url"), signal } = options;
  if (!Number.isInteger(port) || port < 0 || port > PORT_MOST)
    throw illegal("port", port, `a port is an integer from 0 to ${PORT_MOST}`);
  if (typeof host !== "string" || host === "") throw illegal("host", host, "an address or a name of this machine is needed");
  // Its value is not shown: it is a secret all the same.
  if (typeof token !== "string" || !TOKEN.test(token))
    throw illegal("token", typeof token, "16 to 512 visible ASCII characters are needed");
  return { port, host, token, ...(signal === undefined ? {} : { signal }) };
}

function illegal(name: string, value: unknown, reason: string): MillraceError {
  return new MillraceError("ERR_OPTION_ILLEGAL", `${reason}: ${name}=${shownValue(value)}`);
}
