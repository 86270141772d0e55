import type { RocketMqSeries } from "#scripts/bench/java/java-toolchain.js";
import { type Random, seededRandom } from "../support/random.js";
import type { ProgramMessage, ProgramOptions, Put } from "./protocol.js";

const KIB = 1024;
const BORN_TIMESTAMP = 1_700_000_000_000;
/** Nothing comes due while a test runs. */
const DELAY_LEVELS = "1d 2d 3d";
const LONG_TOPIC = "t".repeat(127);
/** Longer than one byte can say: magic V2, RocketMQ 5 only. */
const V2_TOPIC = `%RETRY%${"g".repeat(200)}`;
const TOPICS = ["TopicA", "Topic_b-1", "%RETRY%group", "%DLQ%group|x", LONG_TOPIC];
const QUEUE_IDS = [0, 0, 0, 1, 2, 7, 100_000];
const TAGS = ["TagA", "TagB", "Aa", "BB", "標籤", "t".repeat(100)];
/** "Aa" and "BB" have one hash. */
const KEYS = ["Aa", "BB", "order-1", "schlüssel", "鍵", "k".repeat(60)];
const NAMES = ["region", "größe", "地域", "UNIQ_KEY", "a", "CLUSTER", "x.y-z", "emoji😀"];
const VALUES = ["1", "eu-west", "grün", "値", "😀😀", "v".repeat(300), " with spaces ", "=;,"];
const HOSTS_V4 = ["10.1.2.3", "127.0.0.1", "255.255.255.255", "0.0.0.0"];
const HOSTS_V6 = ["2001:db8::1", "::1", "fe80::1:2:3:4"];
const PREPARED = 4;
const COMMIT = 8;
const ROLLBACK = 12;

export interface ScenarioContent {
  /** Some messages have a delay. */
  readonly hasDelays: boolean;
  /** Some messages have a tag. */
  readonly hasTags: boolean;
}

/** Messages and the options of the store they are for, all of one seed. */
export class Scenario {
  readonly options: ProgramOptions;
  readonly random: Random;
  readonly #topics: readonly string[];
  readonly #content: ScenarioContent;

  constructor(seed: number, series: RocketMqSeries, content: ScenarioContent) {
    const random = seededRandom(seed);
    this.random = random;
    this.#content = content;
    const segment = this.#one([16 * KIB, 28 * KIB, 64 * KIB, 256 * KIB, 1024 * KIB]);
    this.options = {
      mappedFileSizeCommitLog: segment,
      mappedFileSizeConsumeQueue: this.#one([200, 400, 2000, 60_000]),
      maxHashSlotNum: this.#one([50, 100, 5000]),
      maxIndexNum: this.#one([300, 5000]),
      maxMessageSize: Math.floor(segment / this.#one([2, 4])),
      flushDiskType: this.#one(["SYNC_FLUSH", "ASYNC_FLUSH"]),
      messageDelayLevel: DELAY_LEVELS,
      enabledAppendPropCRC: series === "5" && this.#chance(2),
      fileReservedTime: 72,
      writeWithoutMmap: this.#chance(3),
    };
    const topics = series === "5" ? [...TOPICS, V2_TOPIC] : TOPICS;
    this.#topics = topics.filter(() => this.#chance(2));
    if (this.#topics.length === 0) this.#topics = [this.#one(topics)];
  }

  puts(count: number): Put[] {
    return Array.from({ length: count }, () => this.#put());
  }

  #put(): Put {
    if (this.#chance(8)) return { messages: this.#batch(), isBatch: true };
    if (this.#chance(40)) return { messages: [this.#tooLarge()], isBatch: false };
    const message = this.#message();
    return this.#chance(6)
      ? { messages: [message], isBatch: false, trailingSeparator: false }
      : { messages: [message], isBatch: false };
  }

  #message(): ProgramMessage {
    const sysFlag = this.#one([0, 0, 0, 0, 0, 0x01, 0x101, 0x201, 0x301, PREPARED, COMMIT, COMMIT, ROLLBACK]);
    return {
      topic: this.#one(this.#topics),
      queueId: this.#one(QUEUE_IDS),
      body: this.#body(this.#bodyLength()),
      properties: this.#properties(this.#content.hasDelays && this.#chance(6), this.#isWaiting(), 6),
      flag: this.random(2 ** 32) | 0,
      sysFlag,
      bornTimestamp: BORN_TIMESTAMP + this.random(1_000_000),
      bornHost: this.#host(),
      storeHost: this.#chance(4) ? this.#host() : { address: "127.0.0.1", port: 10911 },
      reconsumeTimes: this.random(17),
      preparedTransactionOffset: sysFlag === COMMIT || sysFlag === ROLLBACK ? this.random(2 ** 40) : 0,
    };
  }

  /** RocketMQ's batch has one of everything that is not in the batch's own encoding. */
  #batch(): ProgramMessage[] {
    const first: ProgramMessage = { ...this.#message(), sysFlag: 0, preparedTransactionOffset: 0 };
    const { maxMessageSize } = this.options;
    const count = 1 + this.random(4);
    const isWaiting = this.#isWaiting();
    return Array.from({ length: count }, () => ({
      ...first,
      flag: this.random(2 ** 32) | 0,
      body: this.#body(this.random(Math.floor(maxMessageSize / 16 / count))),
      properties: this.#properties(false, isWaiting, 2),
    }));
  }

  /** Refused, each for its reason. */
  #tooLarge(): ProgramMessage {
    const message = { ...this.#message(), sysFlag: 0 };
    if (this.#chance(2)) return { ...message, body: this.#body(this.options.maxMessageSize + 1) };
    return { ...message, properties: [["large", "p".repeat(40_000)]] };
  }

  #properties(isDelayed: boolean, isWaiting: boolean | undefined, ownLimit: number): ProgramMessage["properties"] {
    const properties: [string, string][] = [];
    if (this.#content.hasTags && this.#chance(3, 2)) properties.push(["TAGS", this.#one(TAGS)]);
    if (this.#chance(2)) properties.push(["KEYS", this.#keys()]);
    if (isWaiting !== undefined) properties.push(["WAIT", String(isWaiting)]);
    if (isDelayed) properties.push(["DELAY", String(1 + this.random(4))]);
    const own = new Set(Array.from({ length: this.random(2) * this.random(ownLimit) }, () => this.#one(NAMES)));
    for (const name of own) properties.push([name, name === "UNIQ_KEY" ? `uniq-${this.random(1000)}` : this.#one(VALUES)]);
    return properties;
  }

  #isWaiting(): boolean | undefined {
    return this.#one([true, true, false, undefined]);
  }

  #keys(): string {
    const key = (): string => (this.#chance(2) ? `k${this.random(10_000)}` : this.#one(KEYS));
    return Array.from({ length: 1 + this.random(3) }, key).join(" ");
  }

  #bodyLength(): number {
    const { maxMessageSize } = this.options;
    if (this.#chance(12)) return 0;
    if (this.#chance(30)) return maxMessageSize;
    return this.random(this.#chance(6) ? Math.floor(maxMessageSize / 3) : 200);
  }

  #body(length: number): string {
    const body = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) body[i] = this.random(256);
    return body.toString("base64");
  }

  #host(): ProgramMessage["bornHost"] {
    return { address: this.#one(this.#chance(3) ? HOSTS_V6 : HOSTS_V4), port: this.random(65_536) };
  }

  #one<T>(values: readonly T[]): T {
    return values[this.random(values.length)] as T;
  }

  #chance(of: number, wins = 1): boolean {
    return this.random(of) < wins;
  }
}
