// Events come in over HTTP and are acknowledged when they are durable: 202 means that no power failure takes them back.
import { once } from "node:events";
import express from "express";
import { MessageStore } from "millrace";
import { toPrometheus } from "millrace/stats";

const store = await MessageStore.open({ storePathRootDir: process.argv[2] ?? "events-store", flushDiskType: "SYNC_FLUSH" });
const app = express();

app.post("/events/:topic", express.raw({ type: "*/*", limit: "1mb" }), async (request, response) => {
  const key = request.get("idempotency-key");
  const { status, code, reason, appendResult } = await store.putMessage({
    topic: request.params.topic,
    queueId: 0,
    body: request.body,
    keys: key ? [key] : undefined,
  });
  if (status === "PUT_OK") response.status(202).json({ id: appendResult.msgId, offset: appendResult.queueOffset });
  else response.status(httpStatus({ status, outcome: "none" })).json({ status, code, reason });
});

app.get("/metrics", (_, response) => response.type("text/plain").send(toPrometheus(store.stats())));

/** What a put rejects with, or Express before it. */
app.use((error, _request, response, _next) => {
  response.status(httpStatus(error)).json({ code: error.code, message: error.message });
});

/** 400: it will never be taken. 503: worth another try. 500: nobody knows what became of it. */
function httpStatus({ status, statusCode, outcome }) {
  if (status === "MESSAGE_ILLEGAL" || status === "PROPERTIES_SIZE_EXCEEDED") return 400;
  return statusCode ?? (outcome === "none" ? 503 : 500);
}

const server = app.listen(Number(process.env.PORT ?? 8080));
await once(server, "listening");
console.log(`listening on port ${server.address().port}`);

async function stop() {
  server.close();
  await once(server, "close"); // answers what has come in
  await store.close();
}
process.once("SIGTERM", stop).once("SIGINT", stop);
