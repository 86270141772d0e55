import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

const TOKEN_BYTES = 16;
const COOKIE = "millrace-token";

export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("hex");
}

/** Whoever asks has the token, in the address, in the cookie that the first page sets, or as `Authorization: Bearer`. */
export class TokenCheck {
  readonly #digest: Buffer;

  constructor(token: string) {
    this.#digest = digestOf(token);
  }

  inAddress(query: URLSearchParams): boolean {
    return this.#isToken(query.get("token"));
  }

  isAllowed(request: IncomingMessage): boolean {
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    if (this.#isToken(bearer)) return true;
    const cookies = (request.headers.cookie ?? "").split(";").map((cookie) => cookie.trim().split("="));
    return this.#isToken(cookies.find(([name]) => name === COOKIE)?.[1]);
  }

  /** In constant time: the digests have one length, and are compared whole. */
  #isToken(given: string | null | undefined): boolean {
    return typeof given === "string" && timingSafeEqual(digestOf(given), this.#digest);
  }
}

/** No script sees it, and no other site's request carries it. */
export function cookieOf(token: string): string {
  return `${COOKIE}=${token}; HttpOnly; SameSite=Strict; Path=/`;
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
