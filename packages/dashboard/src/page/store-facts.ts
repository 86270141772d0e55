import type { StoreState } from "../sample/frame.js";
import { element } from "./element.js";
import { bytes, count, duration, moment, percent } from "./number-format.js";

type Fact = readonly [label: string, value: string];

/** What changes slowly: delays, transactions, disk, threads, errors. Drawn again only when it says something else. */
export class StoreFacts {
  readonly #root: HTMLElement;
  #shown = "";

  constructor(root: HTMLElement) {
    this.#root = root;
  }

  show(state: StoreState): void {
    const facts = factsOf(state);
    const shown = JSON.stringify([facts, state.errors]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const list = facts.map(([label, value]) => element("div", {}, element("dt", {}, label), element("dd", {}, value)));
    this.#root.replaceChildren(element("dl", { class: "facts" }, ...list), element("h3", {}, "Last errors"), ...errorsOf(state));
  }
}

function factsOf(state: StoreState): Fact[] {
  const { delays, undecided, disk, deletedSegments, services, replication } = state;
  const waiting = delays.reduce((sum, level) => sum + level.waiting, 0);
  const facts: Fact[] = [["delayed messages", waiting === 0 ? "none wait" : `${count(waiting)} wait`]];
  for (const { level, delayMs, waiting: number } of delays) {
    facts.push([`level ${level}${delayMs === undefined ? "" : `, ${duration(delayMs * 1000)}`}`, count(number)]);
  }
  if (undecided !== undefined) {
    const since = undecided.oldestTime === undefined ? "" : `, since ${moment(undecided.oldestTime)}`;
    facts.push(["undecided transactions", `${count(undecided.count)}${undecided.more ? " or more" : ""}${since}`]);
  }
  for (const { label, usedRatio } of disk) facts.push([`disk, ${label}`, usedRatio < 0 ? "missing" : `${percent(usedRatio)} used`]);
  if (deletedSegments !== undefined) facts.push(["segments deleted since the start", count(deletedSegments)]);
  if (replication !== undefined) {
    facts.push(["replication", replication.role]);
    for (const { address, behindBytes, inSync } of replication.slaves)
      facts.push([`slave ${address}`, `${inSync ? "in sync" : "not in sync"}, ${bytes(behindBytes)} behind`]);
    if (replication.master !== undefined) facts.push([`master ${replication.master.address}`, replication.master.state]);
  }
  for (const { name, state: is } of services) facts.push([name === "writer" ? name : `${name} thread`, is]);
  return facts;
}

function errorsOf({ errors }: StoreState): HTMLElement[] {
  if (errors.length === 0) return [element("p", { class: "note" }, "None since the store was opened.")];
  return errors.map(({ service, time, code, message, remedy }) =>
    element(
      "div",
      { class: "error" },
      element("p", {}, element("code", {}, code), ` ${service}, ${moment(time)}`),
      element("p", {}, message),
      element("p", { class: "note" }, remedy ?? ""),
    ),
  );
}
