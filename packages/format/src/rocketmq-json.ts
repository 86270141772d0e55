import { MillraceError } from "./millrace-error.js";

/** A string, whole even when it does not end, or an integer with the colon behind it, if there is one. */
const STRING_OR_INTEGER = /"[^"\\]*(?:\\.[^"\\]*)*"?|(-?\d+)(\s*:)?/gs;

/**
 * A file of RocketMQ's `config` directory as a value: JSON, but for the integer keys, which fastjson writes without quotes
 * (`{"offsetTable":{1:123}}`). Quoted ones are read as well, and mean the same.
 *
 * @throws MillraceError `ERR_JSON_ILLEGAL`
 */
export function parseRocketMqJson(text: string): unknown {
  const standard = text.replace(STRING_OR_INTEGER, (token: string, integer?: string, colon?: string) =>
    integer === undefined || colon === undefined ? token : `"${integer}"${colon}`,
  );
  try {
    return JSON.parse(standard);
  } catch (cause) {
    throw new MillraceError("ERR_JSON_ILLEGAL", `not RocketMQ's JSON: reason=${(cause as Error).message}`, { cause });
  }
}
