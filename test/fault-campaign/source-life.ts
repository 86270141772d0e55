import { openSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { Fault } from "@millrace/mapped-file";
import { type Message, MessageStore, type MessageStoreOptions } from "@millrace/store";
import { openOn } from "#store/message-store.js";
import { seededRandom } from "../support/random.js";
import { until } from "../support/until.js";
import type { LifeAnswer, SourceJob } from "./life-job.js";
import { PutLedger } from "./put-ledger.js";

/** Level 1 is due while the store is made, level 2 is never due in a campaign. */
export const SOURCE_DELAY_LEVELS = "1s 2h";
export const SOURCE_GROUP = "campaign-group";
const TOPICS = ["paid", "created"];
const QUEUES = 2;
const MESSAGES = 260;
const BODY_MAX = 500;
const DELETED_TOPIC = "deleted";
/** The watermark follows what is durable once a second. */
const WATERMARK_MS = 1100;

/** Something of everything: batches, keys, tags, delays that are due and that are not, transactions, offsets, a deleted topic. */
export async function sourceLife({ options, seed, ending, ledger: path }: SourceJob): Promise<LifeAnswer> {
  const random = seededRandom(seed);
  const store = await MessageStore.open(options);
  const ledger = new PutLedger(openSync(path, "w"));
  const put = async (message: Message): Promise<void> => {
    const result = await store.putMessage(message);
    if (result.status !== "PUT_OK") throw new Error(`the source store refused a put: status=${result.status}`);
    if (message.delayTimeLevel === undefined && message.topic !== DELETED_TOPIC) ledger.acknowledged(message, result);
  };
  const message = (number: number, topic = TOPICS[number % 2] as string): Message => ({
    topic,
    queueId: (number >> 1) % QUEUES,
    body: Buffer.from(`pay ${number};`.padEnd(12 + random(BODY_MAX), "x")),
    tags: random(2) === 0 ? "TagA" : "TagB",
    ...(number % 3 === 0 ? { keys: [`key-${number}`, `key-${number % 30}`] } : {}),
    properties: { region: `r${number % 5}` },
  });
  await put({ ...message(0), delayTimeLevel: 1 });
  for (let number = 0; number < 6; number++) await put(message(number, DELETED_TOPIC));
  await until(() => store.dispatchBehindBytes === 0);
  await store.deleteTopic(DELETED_TOPIC);
  for (let number = 0; number < 4; number++) await put({ ...message(number), delayTimeLevel: 2 });
  for (let number = 0; number < MESSAGES / 2; number++) await put(message(number));
  await store.putMessages([0, 4, 8].map((number) => ({ ...message(number), topic: "paid", queueId: 0 })));
  for (let number = 0; number < 4; number++) {
    const { prepared } = await store.prepareMessage(message(number));
    if (prepared === null) throw new Error("the source store refused to prepare");
    if (number === 1) await store.commitMessage(prepared);
    if (number === 2) await store.rollbackMessage(prepared);
  }
  for (const topic of TOPICS) {
    for (let queueId = 0; queueId < QUEUES; queueId++) store.consumerOffsets.commit(SOURCE_GROUP, topic, queueId, 5 + queueId);
  }
  await store.consumerOffsets.persist();
  for (const topic of TOPICS) store.consumerOffsets.commit(SOURCE_GROUP, topic, 1, 9);
  await store.consumerOffsets.persist();
  await until(() => store.stats().schedule.levels[0]?.delayOffset === 1);
  await setTimeout(WATERMARK_MS);
  for (let number = MESSAGES / 2; number < MESSAGES; number++) {
    if (number === MESSAGES - 20) await store.flush();
    await put(message(number));
  }
  await until(() => store.dispatchBehindBytes === 0);
  if (ending === "killed") process.kill(process.pid, "SIGKILL");
  await store.close();
  if (ending === "fenced") await fence(options);
  return { findings: [] };
}

/** A life in which the log's first force fails: while it is recovered, or when something was put. */
async function fence(options: MessageStoreOptions): Promise<void> {
  const faults: Fault[] = [{ operation: "force", path: "commitlog", after: 0, code: "EIO" }];
  const store = await openOn(options, { kind: "faulty", faults }).catch(() => undefined);
  await store?.putMessage({ topic: "paid", queueId: 0, body: Buffer.from("fenced") }).catch(() => {});
  await store?.flush().catch(() => {});
  await store?.close().catch(() => {});
}
