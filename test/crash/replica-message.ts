import type { Message } from "@millrace/store";

export const QUEUES = 3;
export const REPLICA_TOPIC = "TopicReplica";
const MANY = 10_000_000;

/** One number for the n-th message of a queue. */
export function numberOf(queueId: number, n: number): number {
  return queueId * MANY + n;
}

export function replicaMessage(queueId: number, n: number): Message {
  const number = numberOf(queueId, n);
  return {
    topic: REPLICA_TOPIC,
    queueId,
    body: Buffer.from(`${number};`.padEnd(20 + ((n * 131) % 2000), "x")),
    keys: `key${number}`,
  };
}
