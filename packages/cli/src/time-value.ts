import { UsageError } from "./usage-error.js";

const AGO = /^(\d+(?:\.\d+)?)(s|m|h|d)$/;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A number of so many digits is in milliseconds since 1970; a shorter one would be in 1970. */
const MILLISECONDS = /^\d{11,}$/;
/** Without it `Date.parse` finds a year in any words. */
const ISO = /^\d{4}-\d{2}/;

/** Milliseconds since 1970, from `2026-07-01T10:00:00Z`, `2026-07-01`, `1782900000000`, or `10m`: so long ago. */
export function time(name: string, text: string, nowMs: number): number {
  const [, amount, unit = ""] = AGO.exec(text) ?? [];
  if (amount !== undefined) return Math.max(0, nowMs - Number(amount) * (UNIT_MS[unit] as number));
  const at = MILLISECONDS.test(text) ? Number(text) : ISO.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw new UsageError(`a time is needed, as 2026-07-01T10:00:00Z, or 30s, 10m, 2h or 1d for so long ago: --${name}=${text}`);
}
