import { MessageChannel, type MessagePort } from "node:worker_threads";
import { type Endpoint, releaseProxy, wrap } from "comlink";
import { type AgentControl, type FailedService, failedService, type ServiceOutcome, serviceError } from "./agent.js";
import type { OwnedCounter } from "./counter.js";
import type { IdleThread } from "./idle-thread.js";
import type { Remote } from "./remote.js";
import type { ServiceEntry } from "./service-entry.js";
import { ServiceFailure } from "./service-failure.js";
import { listenForOutcome, listenForReports } from "./service-report.js";

export interface ServiceThreadOptions<D> {
  readonly name: string;
  /** Where it runs: of the service from now on. */
  readonly thread: IdleThread;
  readonly data: D;
  readonly controlBell: OwnedCounter;
  /** What the service sleeps on: nudged for a control call. */
  readonly sleepsOn: { nudge(): void };
  /** What the service says without being asked. */
  readonly onReport: (report: unknown) => void;
  /** The process may end although the service runs, unless an answer of its is waited for. */
  readonly unref: boolean;
}

/** Between the end of a thread's port and its exit. */
const EXIT_WAIT_MS = 500;

/**
 * A service on its own thread, seen from main: a piscina pool whose single task begins the service's life, and Comlink over a port of
 * its own as control plane. (RocketMQ: `ServiceThread.start/wakeup/shutdown`.)
 */
export class ServiceThread<C extends object> {
  readonly name: string;
  /** How the service ended; a thread that died or was given up is an outcome too. Never rejects. */
  readonly ended: Promise<ServiceOutcome>;
  readonly #end: (outcome: ServiceOutcome) => void;
  readonly #control: Remote<C> & Remote<AgentControl>;
  readonly #release: () => void;
  readonly #thread: IdleThread;
  readonly #port: MessagePort;
  readonly #bell: OwnedCounter;
  readonly #sleepsOn: { nudge(): void };
  /** Rejects of the questions under way. */
  readonly #asking = new Set<() => void>();
  readonly #unref: boolean;
  #calls = 0;
  #hasEnded = false;
  #destroyed: Promise<void> | undefined;

  private constructor(options: ServiceThreadOptions<unknown>) {
    const { port1, port2 } = new MessageChannel();
    this.name = options.name;
    this.#bell = options.controlBell;
    this.#sleepsOn = options.sleepsOn;
    this.#port = port1;
    const proxy = wrap<C & AgentControl>(port1 as unknown as Endpoint);
    this.#control = proxy as unknown as Remote<C> & Remote<AgentControl>;
    this.#release = () => proxy[releaseProxy]();
    listenForReports(port1, options.onReport);
    // It holds the process, until the service has ended: piscina's port does so only while its task runs.
    this.#unref = options.unref;
    this.#thread = options.thread;
    const entry: ServiceEntry<unknown> = { name: options.name, task: { port: port2, data: options.data } };
    let end: (outcome: ServiceOutcome) => void = () => {};
    this.ended = new Promise((resolve) => {
      end = resolve;
      const died = (error: unknown): void =>
        resolve({ ...failedService(options.name, error, "ERR_SERVICE_DIED"), code: "ERR_SERVICE_DIED" });
      listenForOutcome(port1, resolve);
      void options.thread.died.then(died);
      // The port's end comes first, and with it nothing holds the process any more until the thread's own end has been heard of.
      port1.once("close", () => {
        if (this.#hasEnded) return;
        const late = setTimeout(() => died(new Error("the thread ended")), EXIT_WAIT_MS);
        void this.ended.then(() => clearTimeout(late));
      });
      options.thread.begin(entry, port2).catch(died);
    });
    this.#end = end;
    void this.ended.then(() => {
      this.#hasEnded = true;
      for (const reject of this.#asking) reject();
    });
  }

  /** Resolves when the service has started; rejects with its failure if it could not. */
  static async start<C extends object, D>(options: ServiceThreadOptions<D>): Promise<ServiceThread<C>> {
    const service = new ServiceThread<C>(options);
    const outcome = await Promise.race([service.call((control) => control.started()), service.ended]);
    if (outcome !== undefined) {
      await service.destroy();
      if (outcome.ok) throw serviceError("ERR_SERVICE_DIED", `service did not start: it ended service=${options.name}`);
      const { code, message } = outcome;
      const cause = new ServiceFailure(outcome);
      throw Object.assign(new Error(`service did not start: ${message} service=${options.name}`, { cause }), { code });
    }
    return service;
  }

  /** A control call: posted first, then the bell, so that the service finds the message when it hears the bell. */
  call<T>(request: (control: Remote<C> & Remote<AgentControl>) => Promise<T>): Promise<T> {
    const answer = request(this.#control);
    this.#bell.set(this.#bell.value + 1);
    this.#sleepsOn.nudge();
    if (this.#unref) this.#holdProcess(answer);
    return answer;
  }

  /** While somebody waits for an answer. */
  #holdProcess(answer: Promise<unknown>): void {
    const answered = (): void => {
      if (--this.#calls === 0) this.#port.unref();
    };
    if (this.#calls++ === 0) this.#port.ref();
    Promise.race([answer, this.ended]).then(answered, answered);
  }

  /** A {@link call} that rejects with `ERR_SERVICE_ENDED` when the service ends before it answers. */
  ask<T>(request: (control: Remote<C> & Remote<AgentControl>) => Promise<T>): Promise<T> {
    return new Promise((resolve, fail) => {
      const reject = (): void => fail(serviceError("ERR_SERVICE_ENDED", `the service ended: service=${this.name}`));
      if (this.#hasEnded) return reject();
      this.#asking.add(reject);
      this.call(request)
        .finally(() => this.#asking.delete(reject))
        .then(resolve, fail);
    });
  }

  /** Nobody waits for the service any more: for all who do, this is how it ended. What it still does is for {@link destroy} to cut off. */
  giveUp(failure: FailedService): void {
    this.#end(failure);
  }

  /** Lets the service finish its work and waits for its end. */
  async stop(): Promise<ServiceOutcome> {
    await Promise.race([this.call((control) => control.stop()), this.ended]);
    return await this.ended;
  }

  /** Frees the thread; a service still running is cut off between two native calls. Idempotent. */
  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy();
    return this.#destroyed;
  }

  async #destroy(): Promise<void> {
    this.#release();
    this.#port.close();
    await this.#thread.end();
  }
}
