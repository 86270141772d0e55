/** A service that does what a test asks for. Counters are borrowed from the appender. */
import {
  type Agent,
  ControlBlock,
  type ControlBlockBuffer,
  runAgent,
  type ServiceOutcome,
  type ServiceTask,
  serviceEntry,
} from "@millrace/shared-memory";

export type SampleKind = "parked" | "busy" | "has work" | "fails to start" | "throws before it runs";

export interface SampleData {
  readonly control: ControlBlockBuffer;
  readonly kind: SampleKind;
}

export interface SampleControl {
  count(n: number): number;
  failSoon(): void;
  dieSoon(): void;
}

function failure(): Error {
  return Object.assign(new Error("no such thing"), { code: "ERR_SAMPLE" });
}

class SampleAgent implements Agent {
  readonly block: ControlBlock<"append">;
  readonly counters: ControlBlock<"append">["counters"];
  readonly #kind: SampleKind;
  failNow = false;

  constructor({ control, kind }: SampleData) {
    if (kind === "throws before it runs") throw failure();
    this.block = ControlBlock.attach(control, "append");
    this.counters = this.block.counters;
    this.#kind = kind;
  }

  onStart(): void {
    if (this.#kind === "fails to start") throw failure();
  }

  /** `appendBytes` counts the work done. */
  doWork(): number {
    if (this.failNow) throw failure();
    if (this.#kind === "busy") return 1;
    if (this.#kind !== "has work" || this.counters.appendBytes.value === 1000) return 0;
    this.counters.appendBytes.add(1);
    return 1;
  }

  waitForWork(timeoutMs: number): void {
    this.counters.queueSlots.wait(this.counters.queueSlots.get(), timeoutMs);
  }

  /** `appendGroups` counts the closes. */
  onClose(): void {
    this.counters.appendGroups.add(1);
  }
}

async function sampleService({ data, port }: ServiceTask<SampleData>): Promise<ServiceOutcome> {
  const agent = new SampleAgent(data);
  const { appendMessages } = agent.counters;
  const control: SampleControl = {
    count: (n) => {
      appendMessages.add(1);
      return n * 2;
    },
    failSoon: () => {
      agent.failNow = true;
    },
    dieSoon: () => {
      setImmediate(() => process.exit(3));
    },
  };
  return await runAgent(agent, control, port, agent.block);
}

export default serviceEntry(sampleService);
