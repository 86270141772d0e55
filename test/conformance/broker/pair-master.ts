/**
 * A SYNC_MASTER that puts orders when a slave is in sync, says what each was answered, and waits to be killed. Arguments: options of the
 * store as JSON, the bodies as JSON, the number of queues.
 */
import { setTimeout } from "node:timers/promises";
import { MessageStore } from "@millrace/store";

const [options = "{}", bodies = "[]", queues = "4"] = process.argv.slice(2);
const store = await MessageStore.open(JSON.parse(options));
for (const event of ["slaveJoined", "slaveLeft", "diverged"] as const)
  store.on(event, (what) => process.stdout.write(`${event} ${JSON.stringify(what)}\n`));
process.stdout.write("listening\n");
while (store.stats().replicate.inSyncSlaves === 0) await setTimeout(50);
process.stdout.write("a slave is in sync\n");
for (const [n, text] of (JSON.parse(bodies) as string[]).entries()) {
  const message = { topic: "Orders", queueId: n % Number(queues), body: Buffer.from(text), keys: `key-${n}`, tags: "created" };
  const { status } = await store.putMessage(message);
  process.stdout.write(`${status} ${text}\n`);
}
setInterval(() => {}, 1000);
