/** What the search answers, as JSON. */
export interface FoundMessage {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly msgId: string;
  /** Of the record, in bytes. */
  readonly size: number;
  /** Milliseconds. */
  readonly storeTimestamp: number;
  readonly keys: readonly string[];
  readonly tags: string | undefined;
}

/** A record with what its bytes say. */
export interface DecodedRecord {
  readonly message: FoundMessage;
  /** In stored order; positions are in the record, `end` is one past the last byte. */
  readonly fields: readonly { readonly name: string; readonly start: number; readonly end: number; readonly value: string }[];
  /** Its bytes in base64, the first ones of a long record. */
  readonly bytes: string;
}

interface SearchFailure {
  readonly code: string;
  readonly message: string;
  readonly remedy: string | undefined;
}

export interface SearchAnswer {
  readonly messages?: readonly FoundMessage[];
  /** There are older ones. */
  readonly more?: boolean;
  readonly record?: DecodedRecord;
  readonly error?: SearchFailure;
}
