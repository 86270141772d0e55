const NAME_PATTERN = /^\d{17}$/;
const PARTS = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{3})$/;

/** Whether a file of the index directory is an index file. */
export function isIndexFileName(name: string): boolean {
  return NAME_PATTERN.test(name);
}

/**
 * Name of an index file made now: yyyyMMddHHmmssSSS in local time. Names sort in the order of creation, whatever the clock does:
 * one that is not behind the newest becomes the newest plus one millisecond. (RocketMQ: `UtilAll.timeMillisToHumanString`.)
 *
 * @param newest the last name in the directory
 */
export function indexFileName(now: Date, newest: string | undefined): string {
  const name = format([
    now.getFullYear(),
    now.getMonth() + 1,
    now.getDate(),
    now.getHours(),
    now.getMinutes(),
    now.getSeconds(),
    now.getMilliseconds(),
  ]);
  return newest === undefined || name > newest ? name : successor(newest);
}

/** Reckoned without a time zone: local time has hours that come twice. */
function successor(name: string): string {
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0, milliseconds = 0] = (PARTS.exec(name) ?? [])
    .slice(1)
    .map(Number);
  const next = new Date(Date.UTC(year, month - 1, day, hours, minutes, seconds, milliseconds + 1));
  const text = format([
    next.getUTCFullYear(),
    next.getUTCMonth() + 1,
    next.getUTCDate(),
    next.getUTCHours(),
    next.getUTCMinutes(),
    next.getUTCSeconds(),
    next.getUTCMilliseconds(),
  ]);
  // Digits that are no date: the next number will do, only the order matters.
  return text > name ? text : String(BigInt(name) + 1n).padStart(name.length, "0");
}

function format([year, month, day, hours, minutes, seconds, milliseconds]: number[]): string {
  const digits = (value: number | undefined, length: number): string => String(value).padStart(length, "0");
  const date = digits(year, 4) + digits(month, 2) + digits(day, 2);
  return date + digits(hours, 2) + digits(minutes, 2) + digits(seconds, 2) + digits(milliseconds, 3);
}
