import test from "ava";
import { AcknowledgementLog } from "#scripts/load-generator/acknowledgement-log.js";
import { type Consumption, LoadConsumers } from "#scripts/load-generator/load-consumers.js";
import type { ConsumedMessages, ConsumedTarget } from "#scripts/load-generator/load-target.js";
import { MessageContent } from "#scripts/load-generator/message-content.js";
import { SentTimes } from "#scripts/load-generator/sent-times.js";

const CONTENT = { topic: "T", topics: 2, queues: 1, tags: 0, keyEnable: false, messageSize: 16, batchSize: 1 };
const OLD_MESSAGES = 5;

type Batch = readonly number[];

/** Gives each consumer the batches of its topic, from `from` on, and then ends, as a store does that is closed. */
class FakeQueues implements ConsumedTarget {
  readonly froms = new Map<string, number>();
  readonly #batches: ReadonlyMap<string, readonly Batch[]>;
  readonly #committed = new Map<string, number>();
  readonly consumerOffsets = {
    commit: (_group: string, topic: string, _queueId: number, offset: number): void => {
      this.#committed.set(topic, offset);
    },
    get: (_group: string, topic: string): number | undefined => this.#committed.get(topic),
  };

  constructor(batches: Readonly<Record<string, readonly Batch[]>>) {
    this.#batches = new Map(Object.entries(batches));
  }

  async *consume({ topic, from }: { topic: string; from: number }): AsyncGenerator<ConsumedMessages> {
    this.froms.set(topic, from);
    let nextOffset = OLD_MESSAGES;
    for (const numbers of this.#batches.get(topic) ?? []) {
      nextOffset += numbers.length;
      if (nextOffset <= from) continue;
      yield { messages: numbers.map((number) => ({ body: bodyOf(number) })), nextOffset };
    }
  }

  getMaxOffsetInQueue(): number {
    return OLD_MESSAGES;
  }

  putMessage(): never {
    throw new Error("not asked for here");
  }

  putMessages(): never {
    throw new Error("not asked for here");
  }

  stats(): never {
    throw new Error("not asked for here");
  }

  async close(): Promise<void> {}
}

/** -1: a body that is damaged. */
function bodyOf(number: number): Uint8Array {
  if (number < 0) return new Uint8Array(CONTENT.messageSize).fill(1, 8);
  const content = new MessageContent(CONTENT);
  const messages = content.allocate();
  content.fill(messages, number);
  return messages[0]?.body as Uint8Array;
}

/** Ten messages were sent, those in `failed` were not acknowledged. */
async function consume(queues: FakeQueues, failed: readonly number[] = []): Promise<Consumption> {
  const sent = new SentTimes();
  const acks = new AcknowledgementLog();
  for (let unit = 0; unit < 10; unit++) {
    sent.set(unit, 1);
    if (!failed.includes(unit)) acks.set(unit, unit, unit);
  }
  const consumers = new LoadConsumers(queues, new MessageContent(CONTENT), sent);
  consumers.start(queues);
  await consumers.ended();
  return consumers.result(10, acks);
}

const EVEN: readonly Batch[] = [[0, 2], [4], [6, 8]];
const ODD: readonly Batch[] = [[1, 3, 5, 7, 9]];
const ALL_RIGHT = { consumed: 10, duplicates: 0, outOfOrder: 0, foreign: 0, missing: 0, problems: [] as string[] };

test("every message of every queue, once and in order, is all right, and the consumers begin where the load does", async (t) => {
  const queues = new FakeQueues({ T_0: EVEN, T_1: ODD });
  const consumption = await consume(queues);
  t.like(consumption, ALL_RIGHT);
  t.is(consumption.e2eLatencyUs.count, 10);
  t.deepEqual([...queues.froms.values()], [OLD_MESSAGES, OLD_MESSAGES]);
  t.is(queues.consumerOffsets.get("any", "T_0"), OLD_MESSAGES + 5);
});

test("a second start goes on from the offsets that were committed", async (t) => {
  const queues = new FakeQueues({ T_0: EVEN, T_1: ODD });
  const sent = new SentTimes();
  for (let unit = 0; unit < 10; unit++) sent.set(unit, 1);
  const consumers = new LoadConsumers(queues, new MessageContent(CONTENT), sent);
  for (let life = 0; life < 2; life++) {
    consumers.start(queues);
    await consumers.ended();
  }
  t.like(consumers.result(10, new AcknowledgementLog()), ALL_RIGHT);
  t.is(queues.froms.get("T_0"), OLD_MESSAGES + 5);
});

test("an offset that was not kept is named", async (t) => {
  const queues = new FakeQueues({ T_0: EVEN, T_1: ODD });
  const forgetful = Object.assign(queues, { consumerOffsets: { commit: () => {}, get: () => undefined } });
  t.regex((await consume(forgetful)).problems[0] ?? "", /committed offset is not there: topic=T_0 queueId=0 from=undefined next=5/);
});

test("an acknowledged message that does not come is missing, one whose put failed is not", async (t) => {
  const consumption = await consume(new FakeQueues({ T_0: [[0, 2], [6]], T_1: ODD }), [4]);
  t.like(consumption, { missing: 1, consumed: 8, duplicates: 0, outOfOrder: 0 });
  t.regex(consumption.problems[0] ?? "", /message 8 was acknowledged and not consumed/);
});

test("a batch that comes again and one that comes late are told apart", async (t) => {
  const consumption = await consume(new FakeQueues({ T_0: [...EVEN, [6, 8]], T_1: [[1, 5], [3], [7, 9]] }));
  t.like(consumption, { duplicates: 2, outOfOrder: 1, missing: 0 });
});

test("a message of another queue, one that was never sent and a damaged one are foreign", async (t) => {
  const consumption = await consume(new FakeQueues({ T_0: [[0, 2, 4, 6, 8, 1, 12, -1]], T_1: [[3, 5, 7, 9]] }));
  t.like(consumption, { foreign: 3, duplicates: 0, missing: 1 });
});

test("a consumer that fails is named, and what it did not see is missing", async (t) => {
  const queues = new FakeQueues({ T_0: EVEN, T_1: ODD });
  queues.consume = async function* ({ topic }) {
    if (topic === "T_1") throw new Error("faulted");
    yield { messages: EVEN.flat().map((number) => ({ body: bodyOf(number) })), nextOffset: OLD_MESSAGES + 5 };
  };
  const consumption = await consume(queues);
  t.is(consumption.missing, 5);
  t.regex(consumption.problems[0] ?? "", /a consumer failed: topic=T_1 queueId=0 reason=faulted/);
});
