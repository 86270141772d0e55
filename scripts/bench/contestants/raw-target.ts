import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { LoadMessage } from "../../load-generator/load-target.js";
import { GroupTarget } from "./group-target.js";
import type { Workload } from "./workload.js";

const FILE_SIZE = 64 * 1024 * 1024;
/** As the store fills its segments: larger writes make every later force write more. */
const FILL_SIZE = 64 * 1024;

/**
 * The ceiling: bodies one after another, one write per group into a file whose blocks are there, and for durability one fdatasync. No
 * format, no index, no checks.
 */
export class RawTarget extends GroupTarget {
  readonly #fd: number;
  readonly #group: Uint8Array;
  readonly #messageSize: number;
  readonly #durable: boolean;
  #position = 0;

  constructor(workload: Workload) {
    super();
    this.#messageSize = workload.messageSize;
    this.#durable = workload.durability === "disk";
    this.#group = new Uint8Array(workload.messageSize * workload.inFlight);
    this.#fd = openSync(join(workload.directory, "raw"), "w+");
    const zeros = Buffer.alloc(FILL_SIZE);
    for (let position = 0; position < FILE_SIZE; position += FILL_SIZE) writeSync(this.#fd, zeros, 0, FILL_SIZE, position);
    fsyncSync(this.#fd);
  }

  protected putGroup(group: readonly LoadMessage[]): undefined {
    let length = 0;
    for (const { body } of group) {
      this.#group.set(body, length);
      length += this.#messageSize;
    }
    if (this.#position + length > FILE_SIZE) this.#position = 0;
    writeSync(this.#fd, this.#group, 0, length, this.#position);
    if (this.#durable) fdatasyncSync(this.#fd);
    this.#position += length;
  }

  async close(): Promise<void> {
    closeSync(this.#fd);
  }
}
