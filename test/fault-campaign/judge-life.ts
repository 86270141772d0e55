import { readFileSync, writeFileSync } from "node:fs";
import { setImmediate, setTimeout } from "node:timers/promises";
import { MessageStore } from "@millrace/store";
import { readLog } from "../support/stored-log.js";
import { codeOf, type Finding, findingOf } from "./finding.js";
import type { JudgeJob, LifeAnswer } from "./life-job.js";
import { PutHistory } from "./put-ledger.js";
import { shownDifferences } from "./shown-difference.js";
import { placesOf, type ShownPlaces, type ShownStore, showStore } from "./shown-store.js";
import { SOURCE_GROUP } from "./source-life.js";
import { ToldDamage } from "./told-damage.js";

const DISPATCHED_MS = 5000;
/** Events come from other threads, and in turns of their own. */
const EVENTS_MS = 300;
const AFTER_KEY = "after";
/** A difference in what a tag finds: the queue. */
const HIDDEN_BY_TAG = /^tag (\S+) /;
let puts = 0;

/** Opens, looks at everything, puts a little into each queue, looks at everything again, closes. */
export async function judgeLife(job: JudgeJob): Promise<LifeAnswer> {
  const findings: Finding[] = [];
  const before = job.before === undefined ? undefined : (JSON.parse(readFileSync(job.before, "utf8")) as ShownStore);
  let store: MessageStore;
  try {
    store = await MessageStore.open(job.options);
  } catch (error) {
    const code = codeOf(error);
    findings.push(findingOf(error, "open"));
    return code === undefined ? { findings } : { findings, refused: code };
  }
  const { state } = store.stats();
  const told = new ToldDamage(store, job.durableOffset);
  let isBehind = false;
  try {
    isBehind = !(await isDispatched(store, findings));
    if (!isBehind) await judge(store, job, before, told, findings);
  } finally {
    await store.close().catch((error: unknown) => findings.push(findingOf(error, "close")));
    findings.push(...told.findings());
  }
  return { findings, state, isBehind };
}

async function judge(
  store: MessageStore,
  job: JudgeJob,
  before: ShownStore | undefined,
  told: ToldDamage,
  findings: Finding[],
): Promise<void> {
  const places = before?.places ?? placesOf(readLog(store.config.storePathRootDir).messages, [SOURCE_GROUP]);
  let shown = await showStore(store, places, findings);
  /** Of an index that is damaged, what it would find otherwise. */
  let known: ShownStore["keyed"] = {};
  const history = new PutHistory(job.ledgers, job.sentOnly);
  const mayBeThere = (line: string): boolean =>
    history.mayBeThere(line) || before?.unseen?.some((known) => line.startsWith(known)) === true;
  // What was refused this time has to be the same, or better, the next time.
  const write = (state: ShownStore): void => writeFileSync(job.after, JSON.stringify(state));
  await setImmediate();
  const { isGone, isRefused } = told;
  if (before !== undefined) {
    const { areOffsetsExcepted, mayBeFenced } = job;
    const excuses = { isGone, isRefused, mayBeThere, areOffsetsExcepted, mayBeFenced };
    let differences = shownDifferences(before, shown, excuses);
    if (differences.length > 0) {
      await setTimeout(EVENTS_MS);
      differences = shownDifferences(before, shown, excuses);
    }
    // A tags code says nothing that a record could be held against when it is read: the comparison in the background finds it.
    const hidden = differences.map(({ what }) => HIDDEN_BY_TAG.exec(what)?.[1]);
    if (hidden.length > 0 && hidden.every((queue) => queue !== undefined) && (await told.areRebuilt(hidden))) {
      shown = await showStore(store, places, findings);
      differences = shownDifferences(before, shown, excuses);
    }
    // So are index files: what one finds that is said to be damaged counts as refused, and is right when it has been built again.
    if (differences.some(({ what }) => what.startsWith("key ")) && (await told.isIndexDamaged())) {
      known = before.keyed;
      shown = { ...shown, keyed: known };
      differences = shownDifferences(before, shown, excuses);
    }
    findings.push(...differences);
  }
  findings.push(...history.losses(shown));
  let final = shown;
  if (job.puts) {
    const isFenced = store.stats().state === "fenced";
    const grown = await putAfter(store, places, isFenced, findings);
    // The next life will find them.
    if (!(await isDispatched(store, findings))) return write({ ...shown, unseen: grown.lines });
    final = await showStore(store, grown.places, findings);
    final = { ...final, keyed: { ...final.keyed, ...known } };
    const isNew = (line: string): boolean => grown.lines.some((known) => line.startsWith(known));
    const excuses = { isGone, isRefused, mayBeThere: isNew, areOffsetsExcepted: true, mayBeFenced: true };
    findings.push(...shownDifferences(shown, final, excuses));
    const since = { ...excuses, mayBeThere: (line: string) => isNew(line) || mayBeThere(line) };
    if (before !== undefined) findings.push(...shownDifferences(before, final, since));
    for (const key of grown.keys) {
      const [name, physicalOffset] = key;
      if (final.keyed[name] !== String(physicalOffset) && final.keyed[name]?.startsWith("!") !== true)
        findings.push({ verdict: "WRONG", what: `key ${name}: finds ${final.keyed[name]} instead of the new ${physicalOffset}` });
    }
  }
  write(final);
}

/** Dispatching that does not go on hides messages: without a word, or (a full disk) the stats say so. */
async function isDispatched(store: MessageStore, findings: Finding[]): Promise<boolean> {
  const deadline = performance.now() + DISPATCHED_MS;
  while (store.dispatchBehindBytes > 0 && store.stats().state === "running") {
    if (performance.now() > deadline) {
      const { failures } = store.stats().dispatch;
      const what = `dispatching stalls: behind=${store.dispatchBehindBytes} failures=${failures}`;
      findings.push({ verdict: failures > 0 ? "TOLD" : "WRONG", what });
      return false;
    }
    await setTimeout(2);
  }
  return true;
}

interface Grown {
  readonly places: ShownPlaces;
  /** What each new message's line begins with. */
  readonly lines: string[];
  /** Topic and key → physical offset. */
  readonly keys: Map<string, number>;
}

async function putAfter(store: MessageStore, places: ShownPlaces, isFenced: boolean, findings: Finding[]): Promise<Grown> {
  const keys: (readonly [string, string])[] = [];
  const grown = { places, lines: [] as string[], keys: new Map<string, number>() };
  for (const [topic, queueId] of places.queues.filter(([name]) => /^[a-z]/.test(name))) {
    const key = `${AFTER_KEY}-${process.pid}-${puts++}`;
    try {
      const result = await store.putMessage({ topic, queueId, body: Buffer.from(key), keys: [key] });
      const { status, appendResult } = result;
      if (isFenced) findings.push({ verdict: "WRONG", what: `a fenced store answers ${status}` });
      if (status !== "PUT_OK" || appendResult === null) {
        findings.push({ verdict: "TOLD", what: `put ${topic}-${queueId} is ${status}` });
        continue;
      }
      keys.push([topic, key]);
      grown.keys.set(`${topic} ${key}`, appendResult.wroteOffset);
      grown.lines.push(`${appendResult.wroteOffset}|${topic}|${queueId}|${appendResult.queueOffset}|`);
    } catch (error) {
      if (!isFenced || codeOf(error) !== "ERR_STORE_FENCED") findings.push(findingOf(error, `put ${topic}-${queueId}`));
    }
  }
  return { ...grown, places: { ...places, keys: [...places.keys, ...keys] } };
}
