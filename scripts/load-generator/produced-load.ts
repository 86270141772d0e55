import type { AcknowledgementLog } from "./acknowledgement-log.js";
import type { MessageContent } from "./message-content.js";

/** What one producer sent, to be verified. */
export interface ProducedLoad {
  readonly content: MessageContent;
  readonly acks: AcknowledgementLog;
  /** How many were sent, acknowledged or not. */
  readonly units: number;
}

/** The acknowledged units of several producers in the order of the log: each producer's own lie in the order in which it put them. */
export class UnitsInLog {
  /** Of the unit that {@link next} has come to. */
  load: ProducedLoad;
  unit = -1;
  /** In the log, as acknowledged. */
  offset = -1;
  readonly #loads: readonly ProducedLoad[];
  /** The next acknowledged unit of each. */
  readonly #units: number[];

  constructor(loads: readonly ProducedLoad[]) {
    this.#loads = loads;
    this.load = loads[0] as ProducedLoad;
    this.#units = loads.map((load) => acknowledgedFrom(load, 0));
  }

  /** False: there are no more. */
  next(): boolean {
    let first = -1;
    let offset = Number.POSITIVE_INFINITY;
    for (let index = 0; index < this.#loads.length; index++) {
      const load = this.#loads[index] as ProducedLoad;
      const unit = this.#units[index] as number;
      if (unit >= load.units) continue;
      const at = load.acks.physicalOffsetOf(unit);
      if (at < offset) [first, offset] = [index, at];
    }
    if (first < 0) return false;
    this.load = this.#loads[first] as ProducedLoad;
    this.unit = this.#units[first] as number;
    this.offset = offset;
    this.#units[first] = acknowledgedFrom(this.load, this.unit + 1);
    return true;
  }
}

function acknowledgedFrom({ acks, units }: ProducedLoad, from: number): number {
  let unit = from;
  while (unit < units && acks.physicalOffsetOf(unit) < 0) unit++;
  return unit;
}
