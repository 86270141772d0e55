// An outbox: an order is saved and its mail is sent, each exactly when the other is, whatever dies in between.
import { MessageStore } from "millrace";

const directory = process.argv[2] ?? "outbox-store";
const store = await MessageStore.open({ storePathRootDir: directory, flushDiskType: "SYNC_FLUSH" });

/** Stands for a database. */
const orders = new Set();

/** The message is prepared first, so that no crash can save the order without it; nobody sees it before it is committed. */
async function placeOrder(id, save) {
  const answer = await store.prepareMessage({ topic: "OrderMails", queueId: 0, keys: [id], body: Buffer.from(`order ${id}`) });
  if (answer.prepared === null) throw new Error(`${answer.code}: ${answer.reason}`);
  try {
    save(id);
  } catch (error) {
    await store.rollbackMessage(answer.prepared);
    throw error;
  }
  await store.commitMessage(answer.prepared);
}

/** After a crash: the database says what became of the orders whose messages are neither committed nor rolled back. */
async function settle() {
  for await (const { prepared, message } of store.undecidedMessages()) {
    const id = message.body.toString().replace("order ", "");
    await (orders.has(id) ? store.commitMessage(prepared) : store.rollbackMessage(prepared));
  }
}

/** At least once: the offset is committed when the mail has been sent. */
async function deliver(send, count) {
  const from = store.consumerOffsets.get("mailer", "OrderMails", 0) ?? "earliest";
  let sent = 0;
  for await (const batch of store.consume({ topic: "OrderMails", queueId: 0, from })) {
    for (const message of batch) {
      await send(message.body.toString());
      sent++;
    }
    store.consumerOffsets.commit("mailer", "OrderMails", 0, batch.nextOffset, batch.queueLife);
    if (sent >= count) return; // as a rule: go on, the loop waits for the next order
  }
}

await settle();
await placeOrder("4711", (id) => orders.add(id));
await placeOrder("4712", () => {
  throw new Error("out of stock");
}).catch((error) => console.log(`order 4712 is not placed: ${error.message}`));
await placeOrder("4713", (id) => orders.add(id));
await deliver((mail) => console.log(`mail: ${mail}`), 2);
await store.close();
