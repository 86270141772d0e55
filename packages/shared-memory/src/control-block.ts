import {
  CONTROL_BLOCK_LENGTH,
  COUNTERS,
  type CounterName,
  type CounterNameOf,
  counterWord,
  type Role,
} from "./control-block-descriptor.js";
import { initializeCounter, OwnedCounter, ReadableCounter } from "./counter.js";
import { ForceAlarm } from "./force-alarm.js";
import { PutBell } from "./put-bell.js";
import { SendLane } from "./send-lane.js";

/** What travels to the workers. */
export type ControlBlockBuffer = SharedArrayBuffer;

type Counters<R extends Role> = { readonly [N in CounterName]: N extends CounterNameOf<R> ? OwnedCounter : ReadableCounter };

/** The shared words as one thread sees them: its own can be set, the others only read. The type is the rule; the owner word checks it. */
export class ControlBlock<R extends Role> {
  readonly role: R;
  readonly buffer: ControlBlockBuffer;
  readonly counters: Counters<R>;
  readonly forceAlarm: ForceAlarm;
  readonly putBell: PutBell;
  readonly sendLane: SendLane;

  private constructor(buffer: ControlBlockBuffer, role: R) {
    const words = new Int32Array(buffer);
    const counters: Record<string, ReadableCounter> = {};
    for (const name of Object.keys(COUNTERS) as CounterName[]) {
      const word = counterWord(name);
      const { owner, kind } = COUNTERS[name];
      counters[name] = owner === role ? new OwnedCounter(words, word, name, kind) : new ReadableCounter(words, word);
    }
    this.role = role;
    this.buffer = buffer;
    this.counters = counters as Counters<R>;
    this.forceAlarm = new ForceAlarm(buffer);
    this.putBell = new PutBell(buffer);
    this.sendLane = new SendLane(buffer);
  }

  static create(initial: Partial<Record<CounterName, number>>): ControlBlockBuffer {
    const buffer = new SharedArrayBuffer(CONTROL_BLOCK_LENGTH);
    const words = new Int32Array(buffer);
    for (const [name, value] of Object.entries(initial)) initializeCounter(words, counterWord(name as CounterName), value);
    return buffer;
  }

  static attach<R extends Role>(buffer: ControlBlockBuffer, role: R): ControlBlock<R> {
    return new ControlBlock(buffer, role);
  }
}
