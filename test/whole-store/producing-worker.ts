/** A producer on a thread of its own: puts what it is asked for, reports what is acknowledged in the order in which it was. */
import { parentPort } from "node:worker_threads";
import type { ProducerHandle } from "@millrace/store";
import { MessageProducer } from "@millrace/store/producer";

/** What to put: `count` messages of `topic`, keys `name:0` …, a window at a time; 0 puts without end. */
export interface ProducingOrder {
  readonly handle: ProducerHandle;
  readonly name: string;
  readonly topic: string;
  readonly queues: number;
  readonly count: number;
  readonly window: number;
  readonly bodyLength: number;
  readonly closes: boolean;
}

export interface Acknowledged {
  readonly name: string;
  readonly sequence: number;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly wroteOffset: number;
}

parentPort?.once("message", async (order: ProducingOrder) => {
  const { handle, name, topic, queues, count, window, bodyLength, closes } = order;
  const producer = MessageProducer.attach(handle);
  const body = Buffer.alloc(bodyLength, name);
  let failure: { code: string | undefined; message: string } | undefined;
  for (let sequence = 0; (count === 0 || sequence < count) && failure === undefined; sequence++) {
    const queueId = sequence % queues;
    producer
      .putMessage({ topic, queueId, body, keys: `${name}:${sequence}` })
      .then(({ status, appendResult }) => {
        if (status !== "PUT_OK") throw new Error(status);
        const { queueOffset, wroteOffset } = appendResult;
        parentPort?.postMessage({ name, sequence, queueId, queueOffset, wroteOffset } satisfies Acknowledged);
      })
      .catch((error: { code?: string; message: string }) => {
        failure ??= { code: error.code, message: error.message };
      });
    if (sequence % window === window - 1) await producer.drained(Math.floor(window / 2)).catch(() => {});
  }
  await producer.drained().catch(() => {});
  if (closes) await producer.close();
  parentPort?.postMessage({ end: name, failure });
  if (!closes) setInterval(() => {}, 1000);
});
