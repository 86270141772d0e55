import { DelayLevels, TRANS_HALF_TOPIC } from "@millrace/format";
import { monotonicMs, wallClockMs } from "@millrace/shared-memory";
import { type ConsumersStats, type GroupLagStats, lagOf, type QueueStats } from "@millrace/stats";
import { ERROR_CODES, type MessageStore, type MillraceErrorCode, type ReadOnlyMessageStore } from "@millrace/store";
import type { Attention, QueueRow, StoreState } from "./frame.js";
import { SamplePace } from "./sample-pace.js";

/** What a page can show, and a message can carry. */
const QUEUES_SHOWN = 300;
const GROUPS_SHOWN = 100;
const TOPICS_SHOWN = 500;
/** Whether they have committed in each of the queues that are shown. */
const GROUPS_ASKED = 60;
const UNDECIDED_SHOWN = 100;
const UNDECIDED_INTERVAL_MS = 5000;

const NO_CONSUMERS: ConsumersStats = { groupCount: 0, groups: [] };

type AnyStore = MessageStore | ReadOnlyMessageStore;

/** Makes what is shown about once a second: queues, groups, delays, transactions, disk, errors. */
export class StoreStateReader {
  readonly #store: AnyStore;
  readonly #undecidedPace = new SamplePace(UNDECIDED_INTERVAL_MS);
  #undecided: StoreState["undecided"];
  #isAsking = false;

  constructor(store: AnyStore) {
    this.#store = store;
  }

  read(): StoreState {
    const queues = this.#store.queueStats();
    const { consumers, ...state } = isOpenHere(this.#store) ? this.#ofOpen(this.#store) : ofFollowed(this.#store);
    return {
      ...state,
      time: wallClockMs(),
      queues: queueRows(this.#store, queues, consumers.groups),
      queueCount: queues.length,
      groups: consumers.groups.slice(0, GROUPS_SHOWN),
      groupCount: consumers.groupCount,
      topics: this.#store.topics().slice(0, TOPICS_SHOWN),
    };
  }

  #ofOpen(store: MessageStore) {
    const { state, schedule, disk, ha, services, lastErrors, consumers } = store.stats();
    this.#askForUndecided(store);
    const levels = DelayLevels.parse(store.config.messageDelayLevel);
    return {
      consumers,
      attention: attentionOf(state),
      delays: schedule.levels
        .map(({ level, delayOffset, maxOffset }) => ({ level, delayMs: levels.delayMs(level), waiting: maxOffset - delayOffset }))
        .filter(({ waiting }) => waiting > 0),
      undecided: this.#undecided,
      disk: [
        { label: "commit log", usedRatio: disk.commitLogRatio },
        { label: "ConsumeQueues", usedRatio: disk.consumeQueueRatio },
      ],
      replication: ha,
      deletedSegments: disk.deletedSegments,
      services,
      errors: lastErrors.map((error) => ({ ...error, remedy: remedyOf(error.code) })),
    };
  }

  /** Goes on in the background, in turns of the event loop; what it finds is in a later answer. */
  #askForUndecided(store: MessageStore): void {
    const beganMs = monotonicMs();
    if (this.#isAsking || !this.#undecidedPace.isDue(beganMs) || store.queues(TRANS_HALF_TOPIC).length === 0) return;
    this.#isAsking = true;
    undecidedOf(store)
      .then(
        (undecided) => {
          this.#undecided = undecided;
        },
        () => {}, // the store closes, or a later time is better
      )
      .finally(() => {
        this.#undecidedPace.taken(beganMs, monotonicMs());
        this.#isAsking = false;
      });
  }
}

export function isOpenHere(store: AnyStore): store is MessageStore {
  return "recovery" in store;
}

async function undecidedOf(store: MessageStore): Promise<StoreState["undecided"]> {
  let [count, oldestTime] = [0, undefined as number | undefined];
  for await (const { storeTimestamp } of store.undecidedMessages({ limit: UNDECIDED_SHOWN + 1 })) {
    oldestTime ??= storeTimestamp;
    count++;
  }
  return { count: Math.min(count, UNDECIDED_SHOWN), more: count > UNDECIDED_SHOWN, oldestTime };
}

function ofFollowed(store: ReadOnlyMessageStore) {
  const { fence, isOpen, abort, disk, consumers = NO_CONSUMERS } = store.stats();
  const attention: Attention[] = [];
  if (fence !== undefined)
    attention.push({ title: "The store is fenced", reason: fence.reason, remedy: remedyOf("ERR_STORE_FENCED") });
  if (store.lastError !== undefined)
    attention.push({ title: "The directory cannot be followed", reason: String(store.lastError), remedy: "It is tried again." });
  return {
    consumers,
    attention,
    delays: [],
    undecided: undefined,
    disk: [{ label: "disk", usedRatio: disk.totalBytes === 0 ? 0 : disk.usedBytes / disk.totalBytes }],
    replication: undefined,
    deletedSegments: undefined,
    services: [
      {
        name: "writer",
        state: writerOf(isOpen, abort),
        heartbeatAgeMs: 0,
      },
    ],
    errors: [],
  };
}

function writerOf(isOpen: boolean | undefined, abort: { readonly processId: number | undefined } | undefined): string {
  if (abort === undefined) return isOpen ? "open" : "no process has the store open";
  const { processId } = abort;
  if (isOpen === false) return `no process has the store open, and ${processId ?? "the last one"} did not close it cleanly`;
  const state = isOpen ? "open" : "open, or not closed cleanly,";
  return processId === undefined ? state : `${state} in process ${processId}`;
}

function attentionOf(state: string): Attention[] {
  if (state !== "fenced" && state !== "faulted") return [];
  const code = state === "fenced" ? "ERR_STORE_FENCED" : "ERR_STORE_FAULTED";
  const { meaning, remedy } = ERROR_CODES[code];
  return [{ title: `The store is ${state}`, reason: meaning, remedy }];
}

function remedyOf(code: MillraceErrorCode): string;
function remedyOf(code: string): string | undefined;
function remedyOf(code: string): string | undefined {
  return (ERROR_CODES as Readonly<Record<string, { readonly remedy: string }>>)[code]?.remedy;
}

/** Queues by name, with those of the groups that have committed there. */
function queueRows({ consumerOffsets }: AnyStore, queues: readonly QueueStats[], groups: readonly GroupLagStats[]): QueueRow[] {
  const shown = queues
    .toSorted((a, b) => (a.topic === b.topic ? a.queueId - b.queueId : a.topic < b.topic ? -1 : 1))
    .slice(0, QUEUES_SHOWN);
  const asked = groups.slice(0, GROUPS_ASKED);
  return shown.map(({ topic, queueId, minOffset: min, maxOffset: max, lag: undispatched }) => {
    const committed = asked.flatMap(({ group }) => {
      const offset = consumerOffsets.get(group, topic, queueId);
      return offset === undefined ? [] : [{ group, offset, lag: lagOf(offset, min, max) }];
    });
    return { topic, queueId, min, max, undispatched, groups: committed };
  });
}
