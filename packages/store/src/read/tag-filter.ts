import { MillraceError, shownValue, tagsCode } from "@millrace/format";
import { checkKnownKeys, knownKeys } from "../config/known-keys.js";

/** Which messages a get or a consumer wants. */
export interface MessageFilter {
  /** Messages whose tag is one of these; `["*"]` is all. */
  readonly tags: readonly string[];
}

const KNOWN_KEYS = knownKeys<MessageFilter>({ tags: true });
const ALL_TAGS = "*";

/** Tests a queue's hashes first, so that most records need not be touched. (RocketMQ: `ExpressionMessageFilter` for the type TAG.) */
export class TagFilter {
  readonly tags: readonly string[];
  readonly #codes: readonly number[];

  private constructor(tags: readonly string[]) {
    this.tags = tags;
    this.#codes = tags.map(tagsCode);
  }

  /** Undefined: everything passes. @throws MillraceError `ERR_FILTER_ILLEGAL` */
  static of(filter: MessageFilter | undefined): TagFilter | undefined {
    if (filter === undefined) return undefined;
    const tags: unknown = (filter as Partial<MessageFilter> | null)?.tags;
    const isTag = (tag: unknown): boolean => typeof tag === "string" && tag !== "";
    if (!Array.isArray(tags) || tags.length === 0 || !tags.every(isTag)) {
      throw new MillraceError(
        "ERR_FILTER_ILLEGAL",
        `a filter is { tags } with at least one tag, none empty: filter=${shownValue(filter)}`,
      );
    }
    checkKnownKeys(filter, KNOWN_KEYS, "ERR_FILTER_ILLEGAL");
    return tags.length === 1 && tags[0] === ALL_TAGS ? undefined : new TagFilter(tags as string[]);
  }

  /** By the low 32 bits: another tag can have the same, and the time of delivery in SCHEDULE_TOPIC_XXXX is no hash. */
  matchesCode(code: number): boolean {
    const codes = this.#codes;
    const wanted = code | 0;
    for (let i = 0; i < codes.length; i++) if (codes[i] === wanted) return true;
    return false;
  }
}
