import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/** Who may ask: checked before anything else is looked at. */
export class Access {
  readonly #hostName: string;
  readonly #tokenHash: Buffer;

  /** @param host that the server listens on */
  constructor(host: string, token: string) {
    this.#hostName = host.toLowerCase();
    this.#tokenHash = hashOf(token);
  }

  /**
   * A page of another site whose name leads to this machine (DNS rebinding) sends that name as its host: only an address, `localhost` and
   * the name that the server was given are answered.
   */
  isHostAllowed({ headers }: IncomingMessage): boolean {
    const host = headers.host?.toLowerCase() ?? "";
    const name = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(host);
    const hostName = name?.[1] ?? name?.[2] ?? "";
    return hostName !== "" && (isIP(hostName) !== 0 || hostName === "localhost" || hostName === this.#hostName);
  }

  /** In constant time, whatever the given token's length: hashes are compared. */
  hasToken({ headers }: IncomingMessage): boolean {
    const given = /^Bearer (\S+)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
    return timingSafeEqual(hashOf(given), this.#tokenHash);
  }
}

function hashOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
