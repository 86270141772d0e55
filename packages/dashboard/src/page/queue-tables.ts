import type { StoreState } from "../sample/frame.js";
import { element, setText } from "./element.js";
import { KeyedTable, type TableRow } from "./keyed-table.js";
import { count, NOTHING } from "./number-format.js";

/** Who lags, and where each queue begins and ends. */
export class QueueTables {
  readonly #groups = new KeyedTable("Consumer groups, those that lag most first", ["group", "queues", "lag"]);
  readonly #queues = new KeyedTable("Queues, with the groups that have committed in them", ["topic, queue", "min", "max", "lag"]);
  readonly #note = element("p", { class: "note" });
  readonly #filter = element("input", { type: "search", id: "queue-filter", autocomplete: "off", spellcheck: "false" });
  #state: StoreState | undefined;

  constructor(root: HTMLElement) {
    const label = element("label", { for: "queue-filter" }, "Topic or group contains");
    root.replaceChildren(
      this.#groups.root,
      element("div", { class: "filter" }, label, this.#filter),
      this.#queues.root,
      this.#note,
    );
    this.#filter.addEventListener("input", () => this.#draw());
  }

  show(state: StoreState): void {
    this.#state = state;
    this.#draw();
  }

  #draw(): void {
    if (this.#state === undefined) return;
    const { queues, queueCount, groups, groupCount } = this.#state;
    const wanted = this.#filter.value.trim();
    this.#groups.show(groups.map(({ group, queues: number, lag }) => ({ key: group, cells: [group, count(number), count(lag)] })));
    this.#queues.show(queueRows(this.#state, wanted));
    const notes = [];
    if (queueCount === 0) notes.push("There is no queue yet.");
    if (groupCount === 0) notes.push("No group has committed an offset.");
    if (queueCount > queues.length) notes.push(`The first ${count(queues.length)} of ${count(queueCount)} queues are shown.`);
    if (groupCount > groups.length) notes.push(`${count(groups.length)} of ${count(groupCount)} groups are shown.`);
    setText(this.#note, notes.join(" "));
  }
}

/** A row per queue, whose lag is what cannot be consumed yet, and below it one per group, whose maximum is what it wants next. */
function queueRows({ queues }: StoreState, wanted: string): TableRow[] {
  return queues.flatMap(({ topic, queueId, min, max, undispatched, groups }) => {
    const shown = topic.includes(wanted) ? groups : groups.filter(({ group }) => group.includes(wanted));
    if (shown.length === 0 && !topic.includes(wanted)) return [];
    const key = `${topic} ${queueId}`;
    const rows: TableRow[] = [{ key, cells: [`${topic}, ${queueId}`, count(min), count(max), count(undispatched)] }];
    for (const { group, offset, lag } of shown) {
      rows.push({ key: `${key} ${group}`, cells: [group, NOTHING, count(offset), count(lag)], isPart: true });
    }
    return rows;
  });
}
