import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { serveDashboard } from "@millrace/dashboard";
import { MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import type { Page } from "puppeteer-core";
import { launchBrowser } from "../support/browser.js";
import { message, openStore } from "../support/temporary-store.js";
import { testIf } from "../support/test-if.js";
import { dispatchedAll, until } from "../support/until.js";

/** Where screenshots for docs/ go, when they are wanted. */
const SCREENSHOTS = process.env.MILLRACE_SCREENSHOTS;
const WIDTHS = [360, 768, 1440];
const THEMES = ["light", "dark"] as const;
/** Slower than the threads are to get a core of a busy machine: where they are not, it is not the disk that limits. */
const SLOW_DISK = [{ operation: "force", path: "commitlog", after: 0, delayMs: 250 } as const];

// What runs in the page is text: these tests are compiled without the names of a browser.
/** By how much the page is wider than its window, and what sticks out. */
const OVERFLOW = `(async () => {
  for (let frame = 0; frame < 2; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
  const { scrollWidth, clientWidth } = document.documentElement;
  const nodes = Array.from(document.querySelectorAll("main *")).filter((node) => node.closest("svg, .plot, .unseen") === null);
  const wide = nodes.filter((node) => node.getBoundingClientRect().right > clientWidth + 1);
  return { by: scrollWidth - clientWidth, wide: [...new Set(wide.map((node) => node.tagName + "." + node.className))] };
})()`;
/** All that is marked and what is said of it, in one look: the next frame may mark another. */
const LIMIT = `[...Array.from(document.querySelectorAll(".limits"), (node) => node.dataset.stage),
  document.getElementById("limit").textContent].join(": ")`;
const RECORD_TEXT = `document.querySelector(".record").innerText`;
const SHOWS_NOTHING = `document.getElementById("store").hidden && document.getElementById("directory").textContent === ""`;
const QUEUE_ROWS = `document.querySelectorAll("#queues tbody tr").length`;
const PLOTS = `document.querySelectorAll(".uplot").length`;

const browser = await launchBrowser();
const missing = typeof browser === "string" ? browser : "";
const testInBrowser = testIf(missing === "", missing);

test.after.always(async () => {
  if (typeof browser !== "string") await browser.close();
});

/** A page of which everything is noted that must not happen. */
async function watchedPage(t: ExecutionContext, url: string): Promise<{ page: Page; faults: string[] }> {
  if (typeof browser === "string") throw new Error(browser);
  const page = await browser.newPage();
  t.teardown(() => page.close());
  const faults: string[] = [];
  page.on("console", (said) => {
    if (said.type() === "error" || said.type() === "warn") faults.push(`console: ${said.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${String(error)}`));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) faults.push(`request to ${request.url()}`);
  });
  await page.goto(url);
  return { page, faults };
}

/** In both themes, at all widths: nothing is wider than the page. */
async function checkLayouts(t: ExecutionContext, page: Page, what: string): Promise<void> {
  for (const theme of THEMES) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
    for (const width of WIDTHS) {
      await page.setViewport({ width, height: 900 });
      const overflow = await page.evaluate(OVERFLOW);
      t.deepEqual(overflow, { by: 0, wide: [] }, `${what}, ${theme}, ${width} px`);
    }
  }
}

async function screenshot(page: Page, name: string, width: number, height: number, theme: string): Promise<void> {
  if (SCREENSHOTS === undefined) return;
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
  await page.setViewport({ width, height });
  await setTimeout(600);
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), optimizeForSpeed: false });
}

testInBrowser(
  "in a browser: the slowed disk is what limits, nothing overflows or goes elsewhere, and a key finds its record",
  async (t) => {
    const store = await openStore(t, { flushDiskType: "SYNC_FLUSH", mappedFileSizeCommitLog: 1024 * 1024 }, SLOW_DISK);
    await store.putMessage(message({ topic: "Orders", keys: ["order-4711"], tags: "paid", body: Buffer.from('{"order":4711}') }));
    await dispatchedAll(store);
    store.consumerOffsets.commit("billing", "Orders", 0, 1);
    store.consumerOffsets.commit("shipping", "Orders", 0, 0);
    const dashboard = await serveDashboard(store);
    t.teardown(() => dashboard.close());
    let isPutting = true;
    const putting = (async () => {
      for (; isPutting; await setImmediate()) {
        const burst = Array.from({ length: 40 }, (_, i) => message({ topic: "Orders", queueId: i % 4, body: Buffer.alloc(700) }));
        await store.putAll(burst);
      }
    })();
    putting.catch(() => {}); // when the test has failed already
    const { page, faults } = await watchedPage(t, dashboard.url);
    await until(async () => /^force: Forces take/.test(String(await page.evaluate(LIMIT))));
    await until(async () => Number(await page.evaluate(QUEUE_ROWS)) >= 5 && (await page.evaluate(PLOTS)) === 4);
    await checkLayouts(t, page, "pipeline");
    if (SCREENSHOTS !== undefined) await setTimeout(30_000);
    await screenshot(page, "dashboard", 1440, 940, "light");
    t.is(await page.evaluate("location.hash"), "", "the token has left the address");

    await page.select("#by", "key");
    await page.focus("#topic");
    await page.evaluate(`document.getElementById("topic").value = ""`);
    await page.keyboard.type("Orders");
    await page.keyboard.press("Tab");
    await page.keyboard.type("order-4711");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".record");
    const record = String(await page.evaluate(RECORD_TEXT));
    t.regex(record, /property KEYS.*\s+order-4711/);
    t.regex(record, /\{"order":4711\}/);
    await page.keyboard.press("Tab");
    t.true((await page.$$(".marked")).length >= 3, "the field that has the focus is marked among the bytes, too");
    await checkLayouts(t, page, "record");
    await page.$eval("#search-title", (node) => node.scrollIntoView());
    await screenshot(page, "dashboard-record", 768, 900, "dark");
    isPutting = false;
    await putting;
    t.deepEqual(faults, []);
  },
);

testInBrowser(
  "in a browser: a store that another process writes shows what there is, and a wrong token asks for another",
  async (t) => {
    const store = await openStore(t);
    await store.putMessage(message());
    await dispatchedAll(store);
    await using followed = await MessageStore.openReadOnly(store.config.storePathRootDir);
    await using dashboard = await serveDashboard(followed);
    const { page, faults } = await watchedPage(t, dashboard.url);
    await until(async () => (await page.evaluate(QUEUE_ROWS)) === 1);
    await checkLayouts(t, page, "followed");
    t.deepEqual(faults, []);
    const stranger = await watchedPage(t, dashboard.url.replace(/token=.*/, "token=wrong-token-of-a-stranger"));
    await stranger.page.waitForSelector("#token-form:not([hidden])");
    t.true(await stranger.page.evaluate(SHOWS_NOTHING));
  },
);

testInBrowser(
  "in a browser: a page left open takes the new token in its address, and another store on the same port",
  async (t) => {
    const store = await openStore(t);
    await store.putMessage(message());
    await dispatchedAll(store);
    const [first, second] = ["the-first-token-of-all", "the-second-token-of-all"];
    const old = await serveDashboard(store, { token: first });
    const { port, url } = old;
    const { page } = await watchedPage(t, url);
    const shows = (plots: number) => async () => (await page.evaluate(PLOTS).catch(() => "it is being loaded")) === plots;
    await until(shows(4));
    await old.close();
    await using followed = await MessageStore.openReadOnly(store.config.storePathRootDir);
    await using renewed = await serveDashboard(followed, { port, token: second });
    await page.waitForSelector("#token-form:not([hidden])");
    await page.goto(url.replace(first, second)); // only what is after the # is another
    await until(shows(2));
    await renewed.close();
    const again = await serveDashboard(store, { port, token: second });
    t.teardown(() => again.close());
    await until(shows(4));
    t.is(await page.evaluate("location.hash"), "");
  },
);
