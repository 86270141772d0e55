import { request } from "node:http";
import { serveDashboard } from "@millrace/dashboard";
import test from "ava";
import { message, openStore } from "../../support/temporary-store.js";
import { dispatchedAll, until } from "../../support/until.js";

interface Answer {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

function ask(port: number, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    asked.on("error", reject);
    asked.end();
  });
}

test.serial("without the token nothing is shown; with it the page is, and the address bar forgets it", async (t) => {
  const store = await openStore(t);
  const dashboard = await serveDashboard(store, { token: "secret" });
  t.teardown(() => dashboard.close());
  const { port } = dashboard;
  t.is(dashboard.url, `http://127.0.0.1:${port}/?token=secret`);
  for (const path of ["/", "/?token=wrong", "/?token=", "/events", "/messages?by=id&value=00", "/page/app.js", "/?token=secret2"]) {
    t.is((await ask(port, path)).status, 401, path);
    t.is((await ask(port, path, { cookie: "millrace-token=secre" })).status, 401, path);
  }
  const first = await ask(port, "/?token=secret");
  t.is(first.status, 303);
  t.is(first.headers.location, "/");
  const [cookie = ""] = first.headers["set-cookie"] as string[];
  t.regex(cookie, /^millrace-token=secret; HttpOnly; SameSite=Strict; Path=\/$/);
  const page = await ask(port, "/", { cookie: "other=1; millrace-token=secret" });
  t.is(page.status, 200);
  t.regex(String(page.headers["content-security-policy"]), /^default-src 'none'; script-src 'self'; style-src 'self'; /);
  t.notRegex(page.body, /<script(?! type="module" src="\/page\/app\.js")|style=|onload|https?:/);
  t.is((await ask(port, "/page/app.js", { authorization: "Bearer secret" })).status, 200);
  t.is((await ask(port, "/../package.json", { authorization: "Bearer secret" })).status, 404);
  t.is((await ask(port, "/", { authorization: "Bearer secret" }, "POST")).status, 405);
  t.is((await ask(port, "/", { authorization: "Bearer secret", host: "evil.example" })).status, 421);
});

test.serial("a token is drawn when none is given, and each page has another one", async (t) => {
  const store = await openStore(t);
  const urls: string[] = [];
  for (let i = 0; i < 2; i++) {
    await using dashboard = await serveDashboard(store);
    urls.push(new URL(dashboard.url).searchParams.get("token") ?? "");
  }
  t.true(urls.every((token) => /^[0-9a-f]{32}$/.test(token)) && urls[0] !== urls[1]);
});

test.serial("frames come while somebody listens, four a second, and say what there is", async (t) => {
  const store = await openStore(t);
  for (let n = 0; n < 5; n++) await store.putMessage(message({ keys: ["k"] }));
  await dispatchedAll(store);
  const dashboard = await serveDashboard(store, { token: "secret" });
  t.teardown(() => dashboard.close());
  let received = "";
  const asked = request(
    { host: "127.0.0.1", port: dashboard.port, path: "/events", headers: { authorization: "Bearer secret" } },
    (response) => {
      response.on("data", (chunk: Buffer) => {
        received += chunk.toString();
      });
    },
  );
  asked.on("error", () => {});
  asked.end();
  await until(() => received.split("\n\n").length > 4);
  const frame = JSON.parse(received.split("\n\n")[1]?.slice("data: ".length) ?? "");
  t.like(frame, { role: "writing", state: "running", queuesTotal: 1, undecided: 0 });
  t.deepEqual(frame.queues, [{ topic: "TopicA", queueId: 0, minOffset: 0, maxOffset: 5 }]);
  t.deepEqual(
    frame.stages.map(({ name }: { name: string }) => name),
    ["ring", "append", "force", "dispatch", "allocate"],
  );
  t.is(dashboard.clients, 1);
  asked.destroy();
  await until(() => dashboard.clients === 0);
});

test.serial("a search answers by key, by queue offset and by id, and a bad one with its code", async (t) => {
  const store = await openStore(t);
  const { appendResult } = await store.putMessage(message({ topic: "Orders", body: Buffer.from("one"), keys: ["4711"] }));
  await dispatchedAll(store);
  const dashboard = await serveDashboard(store, { token: "secret" });
  t.teardown(() => dashboard.close());
  const search = async (query: Record<string, string>): Promise<{ messages: { bodyText: string }[]; error?: string }> => {
    const answer = await ask(dashboard.port, `/messages?${new URLSearchParams(query)}`, { authorization: "Bearer secret" });
    return JSON.parse(answer.body);
  };
  for (const query of [
    { by: "key", topic: "Orders", value: "4711" },
    { by: "offset", topic: "Orders", queueId: "0", value: "0" },
    { by: "id", value: appendResult?.msgId ?? "" },
  ])
    t.deepEqual(
      (await search(query)).messages.map(({ bodyText }) => bodyText),
      ["one"],
      query.by,
    );
  t.deepEqual(await search({ by: "key", topic: "Orders", value: "none" }), { messages: [], error: "There is no such message." });
  t.regex((await search({ by: "offset", topic: "Orders", value: "" })).error ?? "", /^ERR_GET_ILLEGAL/);
  t.regex((await search({ by: "key", topic: "../x", value: "k" })).error ?? "", /^ERR_TOPIC_ILLEGAL/);
});
