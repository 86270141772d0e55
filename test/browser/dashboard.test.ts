import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { serveDashboard } from "@millrace/dashboard";
import { MessageStore } from "@millrace/store";
import chromium from "@sparticuz/chromium";
import test, { type ExecutionContext } from "ava";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { message, openStore } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";

/** Where the pictures of a run go; docs/ has some of them. */
const PICTURES = process.env.MILLRACE_PICTURES;
const WIDTHS = [360, 768, 1440];
const THEMES = ["light", "dark"] as const;
const SLOW_FORCE_MS = 25;

let browser: Browser;

test.before(async () => {
  // Its own switches put everything into one process, which a second context ends.
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  const env = { ...process.env, LC_ALL: "en_US.UTF-8" }; // of POSIX it makes a language that no formatter knows
  browser = await puppeteer.launch({ args, env, executablePath: await chromium.executablePath(), headless: "shell" });
});
test.after.always(() => browser?.close());

/** A page, and all that must not happen on it. */
async function openPage(t: ExecutionContext, origin: string): Promise<{ page: Page; faults: string[] }> {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (entry) => {
    if (entry.type() === "error" || entry.type() === "warn") faults.push(`console: ${entry.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${String(error)}`));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) faults.push(`elsewhere: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) faults.push(`${response.status()}: ${response.url()}`);
  });
  t.teardown(() => context.close());
  return { page, faults };
}

/** Puts until the test ends, so many at a time. */
function keepPutting(t: ExecutionContext, store: MessageStore, window: number): void {
  let isOn = true;
  const puts = Array.from({ length: window }, async (_, n) => {
    for (let i = 0; isOn; i++) {
      const body = Buffer.from(`order ${n}-${i}`);
      await store.putMessage(message({ topic: `Orders-${n % 3}`, queueId: n % 4, body, keys: [`key-${n}-${i}`], tags: "paid" }));
    }
  });
  t.teardown(async () => {
    isOn = false;
    await Promise.allSettled(puts);
  });
}

async function slowStore(t: ExecutionContext): Promise<MessageStore> {
  const slow = { operation: "force", path: "commitlog/", after: 0, delayMs: SLOW_FORCE_MS } as const;
  const store = await openStore(t, { flushDiskType: "SYNC_FLUSH", mappedFileSizeCommitLog: 1024 * 1024 }, [slow]);
  keepPutting(t, store, 24);
  await until(() => store.queueStats().length > 6);
  store.consumerOffsets.commit("billing", "Orders-0", 0, 1);
  return store;
}

const text = (page: Page, selector: string): Promise<string> =>
  page.$eval(selector, (found) => (found as unknown as { textContent: string | null }).textContent ?? "");

test.serial(
  "with a slow disk the page marks the force, and has no error, no request elsewhere, no break at any width in both themes",
  async (t) => {
    t.timeout(240_000);
    const store = await slowStore(t);
    const dashboard = await serveDashboard(store);
    t.teardown(() => dashboard.close());
    const { origin } = new URL(dashboard.url);
    for (const theme of THEMES) {
      for (const width of WIDTHS) {
        const { page, faults } = await openPage(t, origin);
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
        await page.setViewport({ width, height: 900 });
        await page.goto(dashboard.url);
        t.is(page.url(), `${origin}/`);
        await page.waitForSelector(".stage.limits");
        await until(async () => /force/.test(await text(page, "#limit")));
        t.regex(await text(page, ".stage.limits h3"), /^force.*limits now/);
        await page.waitForSelector("#lags td");
        const sizes = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]");
        const [scroll, inner] = sizes as [number, number];
        t.true(scroll <= inner, `theme=${theme} width=${width} scrollWidth=${scroll}`);
        t.is((await page.$$("canvas")).length, 3);
        t.deepEqual(faults, [], `theme=${theme} width=${width}`);
        if (PICTURES !== undefined) {
          mkdirSync(PICTURES, { recursive: true });
          await new Promise((resolve) => setTimeout(resolve, 10_000)); // something to plot
          await page.screenshot({ path: join(PICTURES, `dashboard-${theme}-${width}.png`) as `${string}.png`, fullPage: true });
        }
        await page.close();
      }
    }
  },
);

test.serial("by keyboard alone a message is found by its key, and shown with its fields and its bytes", async (t) => {
  t.timeout(120_000);
  const store = await openStore(t);
  const body = Buffer.from("<img src=x onerror=alert(1)>");
  await store.putMessage(message({ topic: "Orders", body, keys: ["4711"] }));
  await dispatchedAll(store);
  const dashboard = await serveDashboard(store);
  t.teardown(() => dashboard.close());
  const { page, faults } = await openPage(t, new URL(dashboard.url).origin);
  await page.goto(dashboard.url);
  await page.waitForSelector(".stage");
  await page.keyboard.press("Tab"); // to the link that leads past everything
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.type("Orders");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.type("4711");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".message");
  const shown = await text(page, ".message");
  t.true(shown.includes("000000  3c 69 6d 67"), shown);
  t.true(shown.includes(body.toString()));
  t.is((await page.$$(".message img")).length, 0);
  t.deepEqual(faults, []);
});

test.serial("beside another process the page shows log, queues and lags, and says who has the store open", async (t) => {
  t.timeout(120_000);
  const store = await openStore(t);
  for (let n = 0; n < 20; n++) await store.putMessage(message({ topic: "Orders", queueId: n % 2 }));
  await dispatchedAll(store);
  store.consumerOffsets.commit("billing", "Orders", 0, 3);
  await store.consumerOffsets.persist();
  const reader = await MessageStore.openReadOnly(store.config.storePathRootDir);
  t.teardown(() => reader.close());
  const dashboard = await serveDashboard(reader);
  t.teardown(() => dashboard.close());
  const { page, faults } = await openPage(t, new URL(dashboard.url).origin);
  await page.goto(dashboard.url);
  await page.waitForSelector("#lags td");
  t.regex(await text(page, "#lags"), /billing.*Orders.*7/);
  t.is(await text(page, "#state"), `read beside: open, process ${process.pid}`);
  t.regex(await text(page, "#queues"), /Orders.*10/);
  t.deepEqual(faults, []);
});
