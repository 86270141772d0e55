/** Puts some orders, says so, and waits to be killed. Arguments: options of the store as JSON, the bodies as JSON. */
import { MessageStore } from "@millrace/store";

const [options = "{}", bodies = "[]"] = process.argv.slice(2);
const store = await MessageStore.open(JSON.parse(options));
for (const body of JSON.parse(bodies) as string[]) {
  const { status } = await store.putMessage({ topic: "Orders", queueId: 3, body: Buffer.from(body) });
  process.stdout.write(`${status} ${body}\n`);
}
setInterval(() => {}, 1000);
