const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
/** What there is nothing to say of. */
export const NOTHING = "–";

export function count(value: number): string {
  return WHOLE.format(value);
}

/** A number of things per second: small ones with a decimal. */
export function rate(value: number): string {
  return value > 0 && value < 10 ? value.toFixed(1) : count(value);
}

export function bytes(value: number): string {
  const power = value < 1024 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(value) / 10));
  return `${power === 0 ? count(value) : (value / 1024 ** power).toFixed(1)} ${BYTE_UNITS[power]}`;
}

export function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(0)} %`;
}

/** Microseconds in the unit that keeps the number short. */
export function duration(us: number | undefined): string {
  if (us === undefined) return NOTHING;
  if (us < 1000) return `${us.toFixed(us < 10 ? 1 : 0)} µs`;
  if (us < 1e6) return `${(us / 1e3).toFixed(us < 1e4 ? 2 : us < 1e5 ? 1 : 0)} ms`;
  return us < 60e6 ? `${(us / 1e6).toFixed(us < 1e7 ? 2 : 1)} s` : `${(us / 60e6).toFixed(1)} min`;
}

/** Milliseconds since the epoch, in the viewer's time zone. */
export function moment(ms: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
