import type { QueueColumns } from "@millrace/shared-memory";
import { type ConsumersStats, type GroupLagStats, lagOf } from "@millrace/stats";
import type { TopicTable } from "../put/topic-table.js";
import type { ConsumerOffsets } from "./consumer-offsets.js";

/** Committed offsets that are gone through at a time: about a millisecond. */
const OFFSETS_A_LOOK = 10_000;
const GROUPS_SHOWN = 1000;

/**
 * How many messages each consumer group lags, over all queues in which it has committed. A look goes through some 10,000 committed offsets;
 * where there are more, the next one goes on with the groups that it has not come to, and theirs are from their last turn. Main thread.
 */
export class GroupLags {
  readonly #topics: TopicTable;
  readonly #columns: QueueColumns<"main">;
  #lags = new Map<string, GroupLagStats>();
  /** Among the groups, where the next look begins. */
  #next = 0;

  constructor(topics: TopicTable, columns: QueueColumns<"main">) {
    this.#topics = topics;
    this.#columns = columns;
  }

  look(offsets: ConsumerOffsets): ConsumersStats {
    const names = offsets.groups();
    let looked = 0;
    for (let turn = 0; turn < names.length && looked < OFFSETS_A_LOOK; turn++) {
      this.#next = this.#next < names.length ? this.#next : 0;
      const group = names[this.#next++] as string;
      looked += this.#lookAt(group, offsets);
    }
    const groups: GroupLagStats[] = [];
    for (const name of names) {
      const known = this.#lags.get(name);
      if (known !== undefined) groups.push(known);
    }
    if (this.#lags.size > groups.length) this.#lags = new Map(groups.map((known) => [known.group, known]));
    groups.sort((a, b) => b.lag - a.lag);
    return { groupCount: names.length, groups: groups.slice(0, GROUPS_SHOWN) };
  }

  /** Returns how many offsets the group has committed. */
  #lookAt(group: string, offsets: ConsumerOffsets): number {
    const { minQueueOffsets, maxQueueOffsets } = this.#columns;
    let [committed, queues, lag] = [0, 0, 0];
    for (const [topic, ofTopic] of offsets.topicsOf(group)) {
      committed += ofTopic.size;
      const slots = this.#topics.find(topic)?.slots;
      if (slots === undefined) continue;
      for (const [queueId, offset] of ofTopic) {
        const slot = slots.get(queueId);
        if (slot === undefined || offset < 0) continue;
        queues++;
        lag += lagOf(offset, minQueueOffsets.get(slot), maxQueueOffsets.get(slot));
      }
    }
    this.#lags.set(group, { group, queues, lag });
    return committed;
  }
}
