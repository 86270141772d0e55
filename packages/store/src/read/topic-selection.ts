import { MillraceError, type MillraceErrorCode, shownValue } from "@millrace/format";
import { checkKnownKeys, knownKeys } from "../config/known-keys.js";

/** Which topics are shown. */
export interface TopicSelection {
  /** Also those in which the store keeps delayed and prepared messages, and into which nobody else puts. Default false. */
  readonly systemTopics?: boolean;
}

const KEYS = knownKeys<TopicSelection>({ systemTopics: true });

/** @throws MillraceError with this `code` */
export function selectsSystemTopics(selection: TopicSelection, code: MillraceErrorCode): boolean {
  if (typeof selection !== "object" || selection === null) {
    throw new MillraceError(code, `a selection of topics is an object: selection=${shownValue(selection)}`);
  }
  checkKnownKeys(selection, KEYS, code);
  return selection.systemTopics === true;
}
