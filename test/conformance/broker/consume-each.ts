import { strict as assert } from "node:assert";
import type { RocketMqPrograms } from "./rocketmq-programs.js";

/** A group reads with RocketMQ's own client: each of these bodies comes once, nothing else, and each queue in order. */
export async function consumeEach(
  programs: RocketMqPrograms,
  group: string,
  topic: string,
  wanted: readonly string[],
  seconds: number,
): Promise<void> {
  const consumer = programs.consume(group, topic, wanted.length, seconds);
  await consumer.end(1.5 * seconds);
  const messages = consumer.lines.map((line) => line.split("\t")).filter((fields) => fields.length === 7);
  assert.deepEqual(messages.map((fields) => fields[6]).sort(), [...wanted].sort(), `group ${group}:\n${consumer.lines.join("\n")}`);
  for (const queueId of new Set(messages.map(([queue]) => queue))) {
    const offsets = messages.filter(([queue]) => queue === queueId).map((fields) => Number(fields[1]));
    assert.deepEqual(
      offsets,
      offsets.toSorted((a, b) => a - b),
      `queue ${queueId} did not come in order`,
    );
  }
}
