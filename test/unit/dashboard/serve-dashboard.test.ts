import { once } from "node:events";
import { rmSync } from "node:fs";
import { request as httpRequest, Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { type Dashboard, type DashboardOptions, serveDashboard } from "@millrace/dashboard";
import { MessageStore } from "@millrace/store";
import type { ExecutionContext } from "ava";
import test from "ava";
import type { OpenFrame } from "#dashboard/sample/frame.js";
import { message, openStore } from "../../support/temporary-store.js";
import { dispatchedAll } from "../../support/until.js";

const TOKEN = "a-token-of-the-test";

async function served(
  t: ExecutionContext,
  store: Parameters<typeof serveDashboard>[0],
  options: DashboardOptions = {},
): Promise<Dashboard> {
  const dashboard = await serveDashboard(store, { token: TOKEN, ...options });
  t.teardown(() => dashboard.close());
  return dashboard;
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

async function ask(
  { port }: Dashboard,
  path: string,
  headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` },
  method = "GET",
): Promise<Answer> {
  const request = httpRequest({ host: "127.0.0.1", port, path, method, headers, agent: false });
  request.end();
  const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += chunk;
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

/** The first events of a stream that satisfy `isEnough`, by name. */
async function events(dashboard: Dashboard, isEnough: (names: readonly string[]) => boolean): Promise<Map<string, unknown[]>> {
  const abort = new AbortController();
  const { body } = await fetch(`http://127.0.0.1:${dashboard.port}/events`, {
    headers: { authorization: `Bearer ${TOKEN}` },
    signal: abort.signal,
  });
  let text = "";
  try {
    for await (const chunk of (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (isEnough(Array.from(text.matchAll(/^event: (\w+)$/gm), ([, name = ""]) => name))) break;
    }
  } finally {
    abort.abort();
  }
  const found = new Map<string, unknown[]>();
  for (const [, name = "", data = ""] of text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g))
    found.set(name, [...(found.get(name) ?? []), JSON.parse(data)]);
  return found;
}

const hasAll = (names: readonly string[]): boolean =>
  names.includes("state") && names.filter((name) => name === "frame").length >= 3;

test.serial("an open store is shown: hello, frames with rates and the limit, the state with queues and lags", async (t) => {
  const store = await openStore(t);
  const dashboard = await served(t, store);
  for (let n = 0; n < 20; n++) await store.putMessage(message({ queueId: n % 2 }));
  await dispatchedAll(store);
  store.consumerOffsets.commit("G", "TopicA", 1, 4);
  const seen = await events(dashboard, hasAll);
  t.like(seen.get("hello")?.[0], { kind: "open", flushDiskType: "ASYNC_FLUSH", segmentSize: 64 * 1024 });
  t.like(seen.get("frame")?.at(-1), { kind: "open", state: "running", offsets: { min: 0 } });
  const last = seen.get("frame")?.at(-1) as OpenFrame | undefined;
  t.deepEqual(Object.keys(last?.pipeline ?? {}), ["put", "ring", "append", "force", "dispatch", "allocate"]);
  t.is(last?.limit.row, "idle");
  t.like(seen.get("state")?.[0], {
    attention: [],
    queueCount: 2,
    topics: ["TopicA"],
    groups: [{ group: "G", queues: 1, lag: 6 }],
    queues: [
      { topic: "TopicA", queueId: 0, min: 0, max: 10, undispatched: 0, groups: [] },
      { topic: "TopicA", queueId: 1, min: 0, max: 10, undispatched: 0, groups: [{ group: "G", offset: 4 }] },
    ],
  });
});

test.serial("a store that another process writes is shown as far as its files tell", async (t) => {
  const store = await openStore(t);
  await store.putMessage(message({ keys: ["K"] }));
  await dispatchedAll(store);
  await using followed = await MessageStore.openReadOnly(store.config.storePathRootDir);
  const dashboard = await served(t, followed);
  const seen = await events(dashboard, hasAll);
  t.like(seen.get("hello")?.[0], { kind: "followed", segmentSize: 64 * 1024 });
  t.like(seen.get("frame")?.at(-1), { kind: "followed", offsets: { min: 0, wrote: store.maxPhysicalOffset } });
  t.like(seen.get("state")?.[0], { queueCount: 1, attention: [], queues: [{ topic: "TopicA", max: 1 }] });
  const { body } = await ask(dashboard, "/search?by=key&topic=TopicA&key=K");
  t.is(JSON.parse(body).messages.length, 1);
});

test.serial("a fenced and a faulted store say so, with what to do", async (t) => {
  const store = await openStore(t, { flushDiskType: "SYNC_FLUSH" }, [
    { operation: "force", path: "commitlog", after: 2, code: "EIO" },
  ]);
  const dashboard = await served(t, store);
  for (let n = 0; n < 20; n++) await store.putMessage(message()).catch(() => {});
  const seen = await events(dashboard, hasAll);
  t.like(seen.get("frame")?.at(-1), { state: "fenced", limit: { row: "fenced", at: "force" } });
  const [state] = seen.get("state") as { attention: { title: string; remedy: string }[]; errors: { code: string }[] }[];
  t.is(state?.attention[0]?.title, "The store is fenced");
  t.regex(state?.attention[0]?.remedy ?? "", /millrace unfence/);
});

test.serial("forces that take long are what limits, in both modes", async (t) => {
  for (const flushDiskType of ["SYNC_FLUSH", "ASYNC_FLUSH"] as const) {
    const faults = [{ operation: "force", path: "commitlog", after: 0, delayMs: 60 } as const];
    const flushing = { flushDiskType, flushIntervalCommitLog: 10, flushCommitLogLeastPages: 0 };
    const store = await openStore(t, { ...flushing, mappedFileSizeCommitLog: 8 * 1024 * 1024 }, faults);
    const dashboard = await served(t, store);
    let isPutting = true;
    const putting = (async () => {
      for (; isPutting; await setImmediate()) await store.putMessage(message({ body: Buffer.alloc(500) }));
    })();
    const seen = await events(dashboard, (names) => names.filter((name) => name === "frame").length >= 8);
    isPutting = false;
    await putting;
    t.like(seen.get("frame")?.at(-1), { limit: { row: "forces", at: "force" } }, flushDiskType);
    await dashboard.close();
    await store.close();
  }
});

test.serial("without the token, or with a wrong one, nothing is told of the store", async (t) => {
  const store = await openStore(t);
  const dashboard = await served(t, store);
  for (const path of ["/events", "/search?by=key&topic=T&key=k", "/record?offset=0"]) {
    for (const authorization of ["", `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(0, -1)}`, "Bearer", `Basic ${TOKEN}`, "Bearer  "]) {
      const { status, body } = await ask(dashboard, path, authorization === "" ? {} : { authorization });
      t.is(status, 401, `${path} ${authorization}`);
      t.false(body.includes(TOKEN));
    }
    t.is((await ask(dashboard, `${path}${path.includes("?") ? "&" : "?"}token=${TOKEN}`, {})).status, 401, "not in an address");
  }
});

test.serial("a name that leads here by DNS rebinding is not served, addresses and localhost are", async (t) => {
  const store = await openStore(t);
  const dashboard = await served(t, store);
  const authorization = `Bearer ${TOKEN}`;
  for (const host of [
    "evil.example",
    `evil.example:${dashboard.port}`,
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "[::1",
    "a:b:c",
    "@127.0.0.1",
  ])
    t.is((await ask(dashboard, "/", { host, authorization })).status, 421, host);
  for (const host of ["localhost", `localhost:${dashboard.port}`, "LOCALHOST:80", "127.0.0.1:9", "[::1]:8080", "192.168.1.7"])
    t.is((await ask(dashboard, "/", { host, authorization })).status, 200, host);
});

test.serial("nothing lies beside the page: no path reaches the file system, and nothing can be written", async (t) => {
  const store = await openStore(t);
  const dashboard = await served(t, store);
  for (const path of [
    "/../package.json",
    "/..%2f..%2fpackage.json",
    "/page.js/../../index.js",
    "/%2e%2e/index.js",
    "//etc/passwd",
    "/page.ts",
    "/__proto__",
  ])
    t.is((await ask(dashboard, path)).status, 404, path);
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
    t.is((await ask(dashboard, "/search", undefined, method)).status, 405, method);
  for (const path of ["/", "/page.js", "/page.css", "/icon.svg"]) {
    const { status, headers } = await ask(dashboard, path, {});
    t.is(status, 200, path);
    t.regex(String(headers["content-security-policy"]), /^default-src 'none'; script-src 'self'; /);
    t.notRegex(String(headers["content-security-policy"]), /unsafe|https?:|\*/);
    t.is(headers["x-content-type-options"], "nosniff");
  }
});

/** Ports of the servers of this process. */
function listening(): number[] {
  const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles();
  return handles.flatMap((handle) =>
    handle instanceof Server && handle.listening ? [(handle.address() as AddressInfo).port] : [],
  );
}

test.serial("options that make no sense are refused with a code, and so is a port that is taken", async (t) => {
  const store = await openStore(t);
  const dashboard = await served(t, store);
  for (const [options, code] of [
    [{ port: -1 }, "ERR_OPTION_ILLEGAL"],
    [{ port: 1.5 }, "ERR_OPTION_ILLEGAL"],
    [{ host: "" }, "ERR_OPTION_ILLEGAL"],
    [{ token: "short" }, "ERR_OPTION_ILLEGAL"],
    [{ token: "with a blank in it, or two" }, "ERR_OPTION_ILLEGAL"],
    [{ signal: new AbortController() }, "ERR_OPTION_ILLEGAL"],
    [{ signal: 5 }, "ERR_OPTION_ILLEGAL"],
    [null, "ERR_OPTION_ILLEGAL"],
    ["8080", "ERR_OPTION_ILLEGAL"],
    [{ prot: 1 }, "ERR_OPTION_UNKNOWN"],
    [{ port: dashboard.port }, "ERR_DASHBOARD_LISTEN"],
    [{ signal: AbortSignal.abort() }, "ERR_ABORTED"],
  ] as const) {
    const error = await t.throwsAsync(serveDashboard(store, options as DashboardOptions), undefined, code);
    t.is((error as { code?: string }).code, code);
    t.false(error?.message.includes("short"));
    t.false(error?.message.includes("string"), "a secret is told by its length");
  }
  t.deepEqual(listening(), [dashboard.port], "what is refused listens nowhere");
});

test.serial("what is no store is refused with a code, and nothing listens", async (t) => {
  for (const store of [undefined, null, {}, "orders-store", { config: {} }]) {
    await t.throwsAsync(serveDashboard(store as unknown as MessageStore), { code: "ERR_OPTION_ILLEGAL", message: /: store=/ });
    t.deepEqual(listening(), []);
  }
});

test.serial("it closes once, with a page that watches and a connection that says nothing, or by its signal", async (t) => {
  const store = await openStore(t);
  const abort = new AbortController();
  const dashboard = await serveDashboard(store, { signal: abort.signal });
  t.regex(dashboard.url, /^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{32}$/);
  const silent = connect(dashboard.port, "127.0.0.1");
  await once(silent, "connect");
  const token = dashboard.url.split("=")[1] ?? "";
  const { body } = await fetch(`http://127.0.0.1:${dashboard.port}/events`, { headers: { authorization: `Bearer ${token}` } });
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  const closed = once(silent, "close");
  abort.abort();
  await Promise.all([dashboard.close(), dashboard.close(), dashboard[Symbol.asyncDispose]()]);
  await closed;
  await t.throwsAsync(async () => {
    while (!(await reader.read()).done);
    await fetch(`http://127.0.0.1:${dashboard.port}/`);
  });
});

test.serial("where a directory cannot be read any more the page is told why, and not left with what was last", async (t) => {
  const store = await openStore(t);
  await store.close();
  await using followed = await MessageStore.openReadOnly(store.config.storePathRootDir);
  const dashboard = await served(t, followed);
  rmSync(store.config.storePathRootDir, { recursive: true });
  const seen = await events(dashboard, (names) => names.includes("silent"));
  t.regex((seen.get("silent")?.[0] as { reason: string } | undefined)?.reason ?? "", /^ERR_PATH_UNUSABLE .*ENOENT/);
});

test.serial("a connection that the system does not let in is no error of the store's process", async (t) => {
  const store = await openStore(t);
  const dashboard = await served(t, store);
  const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles();
  const server = handles.find(
    (handle) => handle instanceof Server && (handle.address() as AddressInfo | null)?.port === dashboard.port,
  ) as Server;
  t.notThrows(() => server.emit("error", Object.assign(new Error("accept EMFILE"), { code: "EMFILE" })));
  t.is((await ask(dashboard, "/", {})).status, 200);
});
