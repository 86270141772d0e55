import { MillraceError, shownValue } from "@millrace/format";

/** @param reason what is needed instead */
export function illegal(name: string, value: unknown, reason: string): MillraceError {
  return new MillraceError("ERR_OPTION_ILLEGAL", `${reason}: ${name}=${shownValue(value)}`);
}
