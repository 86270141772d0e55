const KEY = "millrace-token";

/** The token that the address brought, or this tab was given before; the address is left without it. */
export function takeToken(): string | undefined {
  const [, given] = /^#token=(.+)$/.exec(location.hash) ?? [];
  if (given !== undefined) {
    keepToken(decodeURIComponent(given));
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEY) ?? undefined;
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
