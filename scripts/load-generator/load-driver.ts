import { LatencyHistogram, monotonicUs } from "@millrace/shared-memory";
import type { AcknowledgementSink } from "./acknowledgement-log.js";
import type { LoadPutResult, PutTarget } from "./load-target.js";
import type { MessageContent } from "./message-content.js";
import type { Pace } from "./pace.js";
import { PutSlot, type PutSlotOwner } from "./put-slot.js";
import type { SentTimes } from "./sent-times.js";

/** The clock is read once for so many sends or acknowledgements of one turn. */
const CLOCK_EVERY = 16;
/** A paced sender sleeps when the next unit is further away than this, and polls when it is nearer: timers have millisecond ticks. */
const SLEEP_FROM_US = 2000;
const FAILURES_MAX = 1000;
/** Of a SYNC_MASTER: in the log, and not known to be with enough slaves. */
const NOT_REPLICATED: ReadonlySet<string> = new Set(["SLAVE_NOT_AVAILABLE", "FLUSH_SLAVE_TIMEOUT"]);

export interface LoadPlan {
  readonly pace: Pace;
  /** Units in flight at most. */
  readonly slots: number;
  /** How many are sent, those of plans before included; Infinity: until the deadline. */
  readonly units: number;
  /** Microseconds of the monotonic clock; Infinity: until all units are sent. */
  readonly deadlineUs: number;
  /** Told of every unit that is sent. */
  readonly sent?: SentTimes;
}

/** Sends units into a store, at most `slots` in flight, and takes their acknowledgements. */
export class LoadDriver implements PutSlotOwner {
  readonly latencyUs: LatencyHistogram;
  /** Since the owner last took it. */
  intervalLatencyUs = new LatencyHistogram();
  /** The same for a second owner, if there is one. */
  sampledLatencyUs: LatencyHistogram | undefined;
  sentUnits = 0;
  ackedUnits = 0;
  /** Of those: without a slave, which was cut off. */
  unreplicatedUnits = 0;
  failedUnits = 0;
  firstFailure: string | undefined;
  /** When the last unit settled. */
  endedUs = 0;

  #target: PutTarget;
  readonly #content: MessageContent;
  readonly #acks: AcknowledgementSink | undefined;
  #plan: LoadPlan;
  readonly #free: PutSlot[] = [];
  /** For good. */
  #stopped = false;
  /** The plan has been carried out. */
  #isOver = false;
  #pumpScheduled = false;
  /** Sleeps until the next unit is due. */
  #sleep: NodeJS.Timeout | undefined;
  #turnOpen = false;
  #ackNowUs = 0;
  #acksSinceClock = 0;
  #resolveDone: () => void = () => {};

  /** @param acks is notified of every acknowledged unit */
  constructor(
    target: PutTarget,
    content: MessageContent,
    acks: AcknowledgementSink | undefined,
    plan: LoadPlan,
    latencyUs = new LatencyHistogram(),
  ) {
    this.latencyUs = latencyUs;
    this.#target = target;
    this.#content = content;
    this.#acks = acks;
    this.#plan = plan;
  }

  /** Resolves when nothing more is sent and everything sent has settled. */
  run(): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#resolveDone = resolve;
    });
    this.endedUs = 0;
    this.#pump();
    return done;
  }

  /** Goes on where {@link run} has ended, with the next unit, unless it was stopped: in a store that has been opened again, say. */
  goOn(target: PutTarget, plan: LoadPlan): Promise<void> {
    this.#target = target;
    this.#plan = plan;
    this.#isOver = false;
    return this.run();
  }

  /** Nothing more is sent from now on. */
  stop(): void {
    this.#stopped = true;
    this.#isOver = true;
    this.#finishWhenSettled();
  }

  /** Nothing more is ever sent: by {@link stop}, or because too many puts have failed. */
  get isStopped(): boolean {
    return this.#stopped;
  }

  get inFlight(): number {
    return this.sentUnits - this.ackedUnits - this.failedUnits;
  }

  readonly #pump = (): void => {
    this.#pumpScheduled = false;
    const { pace, units, slots, deadlineUs } = this.#plan;
    let nowUs = monotonicUs();
    if (this.#stopped || nowUs >= deadlineUs || this.sentUnits >= units) this.#isOver = true;
    if (this.#isOver) return this.#finishWhenSettled();
    const room = slots - this.inFlight;
    const due = Math.min(pace.unitsDue(nowUs), units) - this.sentUnits;
    const burst = Math.min(room, due, pace.burstUnits);
    for (let i = 0; i < burst; i++) {
      if (i % CLOCK_EVERY === CLOCK_EVERY - 1) nowUs = monotonicUs();
      this.#send(nowUs);
    }
    // Without a free slot the next acknowledgement pumps.
    if (room > burst) this.#pumpAt(pace.dueUs(this.sentUnits), nowUs);
  };

  #pumpAt(dueUs: number | undefined, nowUs: number): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    const nextUs = Math.min(dueUs ?? nowUs, this.#plan.deadlineUs);
    if (nextUs - nowUs > SLEEP_FROM_US) this.#sleep = setTimeout(this.#pump, Math.floor((nextUs - nowUs) / 1000) - 1);
    else setImmediate(this.#pump);
  }

  #send(nowUs: number): void {
    const slot = this.#free.pop() ?? this.#makeSlot();
    const unit = this.sentUnits++;
    slot.unit = unit;
    slot.sentUs = this.#plan.pace.sentUs(unit, nowUs);
    this.#plan.sent?.set(unit, slot.sentUs);
    this.#content.fill(slot.messages, unit);
    const { messages } = slot;
    const put = messages.length === 1 ? this.#target.putMessage(messages[0] as never) : this.#target.putMessages(messages);
    put.then(slot.onSettled, slot.onRejected);
  }

  #makeSlot(): PutSlot {
    return new PutSlot(this.#content.allocate(), this);
  }

  settled(slot: PutSlot, result: LoadPutResult): void {
    const isUnreplicated = NOT_REPLICATED.has(result.status);
    if ((result.status !== "PUT_OK" && !isUnreplicated) || result.appendResult === null) {
      const reason = result.reason === undefined ? "" : `, ${result.code} ${result.reason}`;
      return this.#failed(slot, `status=${result.status}${reason}`);
    }
    if (this.#acksSinceClock++ % CLOCK_EVERY === 0) this.#ackNowUs = monotonicUs();
    const us = this.#ackNowUs - slot.sentUs;
    this.latencyUs.record(us);
    this.intervalLatencyUs.record(us);
    this.sampledLatencyUs?.record(us);
    this.ackedUnits++;
    if (isUnreplicated) this.unreplicatedUnits++;
    this.#acks?.set(slot.unit, result.appendResult.wroteOffset, result.appendResult.queueOffset);
    this.#release(slot);
  }

  rejected(slot: PutSlot, error: unknown): void {
    const code = (error as { code?: unknown } | null)?.code;
    this.#failed(slot, `${typeof code === "string" ? `${code} ` : ""}${error instanceof Error ? error.message : String(error)}`);
  }

  #failed(slot: PutSlot, reason: string): void {
    this.failedUnits++;
    this.firstFailure ??= reason;
    if (this.failedUnits >= FAILURES_MAX) this.#stopped = this.#isOver = true;
    this.#release(slot);
  }

  #release(slot: PutSlot): void {
    this.#free.push(slot);
    if (this.#turnOpen) return;
    this.#turnOpen = true;
    queueMicrotask(this.#endTurn);
  }

  /** Runs behind the acknowledgements that were settled together with the first one of the turn. */
  readonly #endTurn = (): void => {
    this.#turnOpen = false;
    this.#acksSinceClock = 0;
    if (this.#isOver) this.#finishWhenSettled();
    else if (!this.#pumpScheduled) this.#pump();
  };

  #finishWhenSettled(): void {
    if (this.inFlight > 0 || this.endedUs > 0) return;
    clearTimeout(this.#sleep);
    this.endedUs = monotonicUs();
    this.#resolveDone();
  }
}
