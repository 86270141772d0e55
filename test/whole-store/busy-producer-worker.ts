/** A producer that puts a message, does not come to its event loop until it is released, and puts another one. */
import { parentPort } from "node:worker_threads";
import type { ProducerHandle } from "@millrace/store";
import { MessageProducer } from "@millrace/store/producer";

interface BusyOrder {
  readonly handle: ProducerHandle;
  readonly topic: string;
  readonly released: Int32Array;
}

parentPort?.once("message", async ({ handle, topic, released }: BusyOrder) => {
  const producer = MessageProducer.attach(handle);
  const message = { topic, queueId: 0, body: Buffer.from("x") };
  parentPort?.postMessage((await producer.putMessage(message)).status);
  Atomics.wait(released, 0, 0);
  let status: string | undefined;
  while (status === undefined) status = await producer.putMessage(message).then(({ status }) => status, suspended);
  parentPort?.postMessage(status);
});

function suspended(error: { code: string }): undefined {
  if (error.code !== "ERR_TOPIC_SUSPENDED") throw error;
}
