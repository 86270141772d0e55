import { NAME_VALUE_SEPARATOR, PROPERTY_SEPARATOR } from "#format/message-descriptor.js";
import { MillraceError } from "#format/millrace-error.js";
import { shownValue } from "#format/shown-value.js";

const NAME_END = String.fromCharCode(NAME_VALUE_SEPARATOR);
const PAIR_END = String.fromCharCode(PROPERTY_SEPARATOR);
/** Of maps that the property parser of RocketMQ 5 makes. */
export const JAVA_PARSED_MAP_CAPACITY = 128;

/**
 * The property string, in the order given; pairs without a value are left out.
 *
 * @param trailingSeparator a 0x02 after the last pair: true writes as RocketMQ 5, false as 4.9
 * @throws MillraceError `ERR_PROPERTY_ILLEGAL` for an empty name, or 0x01 or 0x02 in a name or value
 */
export function formatProperties(
  properties: Iterable<readonly [string, string | null | undefined]>,
  trailingSeparator: boolean,
): string {
  let text = "";
  for (const [name, value] of properties) {
    if (value === null || value === undefined) continue;
    if (name === "" || hasSeparator(name) || hasSeparator(value)) {
      throw new MillraceError("ERR_PROPERTY_ILLEGAL", `empty property name, or 0x01 or 0x02 inside: name=${shownValue(name)}`);
    }
    text += name + NAME_END + value + PAIR_END;
  }
  return trailingSeparator || text === "" ? text : text.slice(0, -1);
}

/** {@link formatProperties} as UTF-8. */
export function encodeProperties(
  properties: Iterable<readonly [string, string | null | undefined]>,
  trailingSeparator: boolean,
): Uint8Array {
  return new TextEncoder().encode(formatProperties(properties, trailingSeparator));
}

function hasSeparator(text: string): boolean {
  return text.includes(NAME_END) || text.includes(PAIR_END);
}
