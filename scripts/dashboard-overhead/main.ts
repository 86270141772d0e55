/**
 * What a page that watches costs: CPU of the whole process while a store takes puts at a steady pace, with and without a page that reads
 * the stream from another process, in turns.
 * `node scripts/dist/dashboard-overhead/main.js [seconds a turn] [turns] [puts a second] [queues]`
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { serveDashboard } from "@millrace/dashboard";
import { MessageStore } from "@millrace/store";

const PACE_MS = 10;
const [seconds = 10, turns = 6, putsPerSecond = 2000, queues = 64] = process.argv.slice(2).map(Number);

/** Of the process that reads. */
const WATCH = "--watch";

/** Reads the stream and forgets it, until the process is killed. */
async function watch(url: string): Promise<void> {
  const { origin, hash } = new URL(url);
  const headers = { authorization: `Bearer ${decodeURIComponent(hash.slice("#token=".length))}` };
  const { body } = await fetch(`${origin}/events`, { headers });
  for await (const chunk of body as ReadableStream<Uint8Array>) if (chunk.length > 0) process.send?.("reads");
}

async function put(store: MessageStore, signal: AbortSignal): Promise<void> {
  const perTick = Math.max(1, Math.round((putsPerSecond * PACE_MS) / 1000));
  for (let n = 0; !signal.aborted; await setTimeout(PACE_MS)) {
    const burst = Array.from({ length: perTick }, () => ({ topic: "Overhead", queueId: n++ % queues, body: Buffer.alloc(256) }));
    await store.putAll(burst);
  }
}

async function measure(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-overhead-"));
  try {
    await using store = await MessageStore.open({ storePathRootDir: directory });
    await using dashboard = await serveDashboard(store);
    const stop = new AbortController();
    const putting = put(store, stop.signal);
    await setTimeout(2000);
    const shares: Record<"alone" | "watched", number[]> = { alone: [], watched: [] };
    for (let turn = 0; turn < 2 * turns; turn++) {
      const isWatched = turn % 2 === 1;
      const reader = isWatched ? fork(process.argv[1] as string, [WATCH, dashboard.url]) : undefined;
      if (reader !== undefined) await once(reader, "message");
      const [before, beganMs] = [process.cpuUsage(), performance.now()];
      await setTimeout(seconds * 1000);
      const { user, system } = process.cpuUsage(before);
      const share = (user + system) / 1000 / (performance.now() - beganMs);
      shares[isWatched ? "watched" : "alone"].push(share);
      reader?.kill();
      console.log(`${isWatched ? "watched" : "alone  "}  ${(100 * share).toFixed(2)} % of a core`);
    }
    stop.abort();
    await putting;
    const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
    console.log(`a page that watches: ${(100 * (median(shares.watched) - median(shares.alone))).toFixed(2)} % of a core (medians)`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

if (process.argv[2] === WATCH) await watch(process.argv[3] ?? "");
else await measure();
