const KEY = "millrace-token";
const IN_ADDRESS = /^#token=(.+)$/;

/** The token that the address brought, or this tab was given before; the address is left without it. */
export function takeToken(): string | undefined {
  const [, given] = IN_ADDRESS.exec(location.hash) ?? [];
  if (given !== undefined) {
    keepToken(decodeURIComponent(given));
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEY) ?? undefined;
}

export function hasAddressToken(): boolean {
  return IN_ADDRESS.test(location.hash);
}

/** For this tab, until it is closed. */
export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
}

/** The headers that a request for data needs. */
export function authorized(token: string): RequestInit {
  return { headers: { authorization: `Bearer ${token}` }, cache: "no-store" };
}
