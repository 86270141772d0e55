import { createHash } from "node:crypto";
import type { MessageStore, MessageView } from "@millrace/store";
import type { DecodedMessage } from "../support/message-decoder.js";
import { codeOf, type Finding, findingOf } from "./finding.js";

/** Where to look. System topics are asked for by name: nobody lists them. */
export interface ShownPlaces {
  readonly queues: readonly (readonly [topic: string, queueId: number])[];
  readonly keys: readonly (readonly [topic: string, key: string])[];
  readonly tags: readonly string[];
  /** Physical offsets. */
  readonly records: readonly number[];
  readonly groups: readonly string[];
}

export interface ShownQueue {
  readonly min: number;
  readonly max: number;
  /** One for each queue offset from min: the message's line, `!CODE`, or a status. */
  readonly messages: readonly string[];
}

/** Everything that an open store shows, as plain data, so that lives can be compared. A refusal stands as `!CODE`. */
export interface ShownStore {
  readonly places: ShownPlaces;
  readonly state: string;
  readonly queues: Readonly<Record<string, ShownQueue>>;
  /** Queue, tag → queue offsets. */
  readonly tagged: Readonly<Record<string, string>>;
  /** Topic, key → physical offsets. */
  readonly keyed: Readonly<Record<string, string>>;
  /** Physical offset → the message's line. */
  readonly looked: Readonly<Record<string, string>>;
  readonly undecided: readonly string[];
  /** Group, queue → what it committed. */
  readonly committed: Readonly<Record<string, number>>;
  /** What the lines of messages begin with that were put at the end, and that dispatching did not show any more. */
  readonly unseen?: readonly string[];
}

const SINGLES_MAX = 5000;
const BATCH = 16;
export const MISSING = "missing";

export function placesOf(messages: readonly DecodedMessage[], groups: readonly string[]): ShownPlaces {
  const queues = new Map<string, readonly [string, number]>();
  const keys = new Map<string, readonly [string, string]>();
  for (const { topic, queueId, properties } of messages) {
    queues.set(`${topic}-${queueId}`, [topic, queueId]);
    for (const key of (properties.get("KEYS") ?? "").split(" ")) if (key !== "") keys.set(`${topic} ${key}`, [topic, key]);
  }
  const tags = new Set(messages.map(({ properties }) => properties.get("TAGS") ?? "").filter((tag) => tag !== ""));
  const records = messages.map(({ physicalOffset }) => physicalOffset);
  return { queues: [...queues.values()], keys: [...keys.values()], tags: [...tags], records, groups };
}

/** What a put's answer says of a message comes first, and then what only a look at it says. */
export function lineOf(message: MessageView): string {
  const { physicalOffset, queueOffset, storeTimestamp, tags, keys, body, topic, queueId } = message;
  const { flag, sysFlag, bornTimestamp, reconsumeTimes, preparedTransactionOffset, properties, bornHost, storeHost } = message;
  const rest = [flag, sysFlag, bornTimestamp, reconsumeTimes, preparedTransactionOffset, [...properties], bornHost, storeHost];
  const known = { physicalOffset, queueOffset, storeTimestamp, tags, keys, topic, queueId, body };
  return `${knownLine(known)}#${JSON.stringify(rest)}`;
}

export function knownLine(message: {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly storeTimestamp: number;
  readonly tags?: string | undefined;
  readonly keys?: readonly string[] | undefined;
  readonly body: Uint8Array;
}): string {
  const { topic, queueId, queueOffset, physicalOffset, storeTimestamp, tags = "", keys = [], body } = message;
  const sha = createHash("sha1").update(body).digest("base64");
  return [physicalOffset, topic, queueId, queueOffset, storeTimestamp, tags, keys.join(" "), sha].join("|");
}

export async function showStore(store: MessageStore, places: ShownPlaces, findings: Finding[]): Promise<ShownStore> {
  const shows = new StoreShow(store, findings);
  const listed = store.topics().flatMap((topic) => store.queues(topic).map((queueId) => [topic, queueId] as const));
  const queues = new Map([...places.queues, ...listed].map((queue) => [queue.join("-"), queue]));
  const shown = new Map([...queues].map(([name, [topic, queueId]]) => [name, shows.queue(topic, queueId)]));
  const tagged = [...queues].flatMap(([name, [topic, queueId]]) =>
    places.tags.map((tag) => [`${name} ${tag}`, shows.tagged(topic, queueId, tag)] as const),
  );
  return {
    places,
    state: store.stats().state,
    queues: Object.fromEntries(shown),
    tagged: Object.fromEntries(tagged),
    keyed: Object.fromEntries(places.keys.map(([topic, key]) => [`${topic} ${key}`, shows.keyed(topic, key)])),
    looked: Object.fromEntries(places.records.map((offset) => [offset, shows.looked(offset)])),
    undecided: await shows.undecided(),
    committed: Object.fromEntries(
      places.groups.flatMap((group) =>
        [...queues].map(([name, [topic, queueId]]) => [`${group} ${name}`, store.consumerOffsets.get(group, topic, queueId) ?? -1]),
      ),
    ),
  };
}

/** Asks one question at a time, and turns a refusal into an answer. */
class StoreShow {
  readonly #store: MessageStore;
  readonly #findings: Finding[];

  constructor(store: MessageStore, findings: Finding[]) {
    this.#store = store;
    this.#findings = findings;
  }

  queue(topic: string, queueId: number): ShownQueue {
    const min = this.#store.getMinOffsetInQueue(topic, queueId);
    const max = this.#store.getMaxOffsetInQueue(topic, queueId);
    const messages: string[] = [];
    for (let at = min; at < Math.min(max, min + SINGLES_MAX); at++)
      messages.push(this.#answer(`getMessage ${topic}-${queueId} ${at}`, () => this.#single(topic, queueId, at)));
    this.#compareBatches(topic, queueId, min, messages);
    return { min, max, messages };
  }

  #single(topic: string, queueId: number, queueOffset: number): string {
    using found = this.#store.getMessage({ topic, queueId, queueOffset, maxMessages: 1 });
    const [message] = found.messages;
    if (message === undefined) return found.status;
    if (found.messages.length > 1)
      this.#wrong(`getMessage gave ${found.messages.length} instead of 1: ${topic}-${queueId} ${queueOffset}`);
    return lineOf(message);
  }

  /** Many at a time are the same as one at a time, up to a refusal. */
  #compareBatches(topic: string, queueId: number, min: number, singles: readonly string[]): void {
    const max = min + singles.length;
    for (let at = min; at < max; ) {
      const lines: string[] = [];
      let next = at + 1;
      const status = this.#answer(`getMessage ${topic}-${queueId} from ${at}`, () => {
        using found = this.#store.getMessage({ topic, queueId, queueOffset: at, maxMessages: BATCH });
        lines.push(...found.messages.map(lineOf));
        next = Math.max(next, found.nextBeginOffset);
        return found.status;
      });
      for (const [index, line] of lines.entries()) {
        const single = singles[at - min + index];
        if (single?.startsWith("!") !== true && line !== single)
          this.#wrong(`${topic}-${queueId} ${at + index}: ${line} in a batch, ${single} alone`);
      }
      if (lines.length === 0 && !status.startsWith("!") && singles[at - min]?.includes("|"))
        this.#wrong(`${topic}-${queueId} from ${at}: ${status}, and there is one`);
      at = lines.length === 0 ? next : Math.min(next, at + Math.max(1, lines.length));
    }
  }

  tagged(topic: string, queueId: number, tag: string): string {
    const offsets: number[] = [];
    const max = this.#store.getMaxOffsetInQueue(topic, queueId);
    for (let at = this.#store.getMinOffsetInQueue(topic, queueId); at < max; ) {
      let next = at + 1;
      const answer = this.#answer(`getMessage ${topic}-${queueId} ${tag} from ${at}`, () => {
        using found = this.#store.getMessage({ topic, queueId, queueOffset: at, filter: { tags: [tag] } });
        offsets.push(...found.messages.map(({ queueOffset }) => queueOffset));
        next = Math.max(next, found.nextBeginOffset);
        return found.status;
      });
      if (answer.startsWith("!")) offsets.push(-1);
      at = next;
    }
    return offsets.join(" ");
  }

  keyed(topic: string, key: string): string {
    return this.#answer(`queryMessage ${topic} ${key}`, () =>
      this.#store
        .queryMessage({ topic, key })
        .messages.map(({ physicalOffset }) => physicalOffset)
        .join(" "),
    );
  }

  looked(physicalOffset: number): string {
    return this.#answer(`lookMessageByOffset ${physicalOffset}`, () => {
      const message = this.#store.lookMessageByOffset(physicalOffset);
      return message === undefined ? MISSING : lineOf(message);
    });
  }

  async undecided(): Promise<string[]> {
    const found: string[] = [];
    try {
      for await (const { message } of this.#store.undecidedMessages()) found.push(lineOf(message));
    } catch (error) {
      this.#findings.push(findingOf(error, "undecidedMessages"));
      found.push(`!${codeOf(error)}`);
    }
    return found;
  }

  #answer(where: string, ask: () => string): string {
    try {
      return ask();
    } catch (error) {
      this.#findings.push(findingOf(error, where));
      return `!${codeOf(error)}`;
    }
  }

  #wrong(what: string): void {
    this.#findings.push({ verdict: "WRONG", what });
  }
}
