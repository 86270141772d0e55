import { MillraceError } from "@millrace/format";
import { IdleThread, type ServiceRole } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { SERVICES, serviceNames } from "./services.js";
import { bundlesOf } from "./worker-bundle.js";

/** The threads of a store that is being opened: they start, and load their services, while main recovers the directory. */
export class IdleThreads {
  readonly #threads = new Map<ServiceRole, IdleThread>();

  private constructor() {}

  /**
   * @throws MillraceError `ERR_PIPELINE_START`: the system has no more threads; none is left then
   */
  static async start(config: MessageStoreConfig): Promise<IdleThreads> {
    const threads = new IdleThreads();
    const bundleOf = bundlesOf();
    try {
      for (const name of serviceNames(config)) threads.#threads.set(name, new IdleThread(bundleOf(SERVICES[name].worker)));
    } catch (cause) {
      await threads.end();
      throw new MillraceError("ERR_PIPELINE_START", (cause as Error).message, { cause });
    }
    return threads;
  }

  of(name: ServiceRole): IdleThread {
    return this.#threads.get(name) as IdleThread;
  }

  /** Of an opening that is refused. */
  async end(): Promise<void> {
    await Promise.all([...this.#threads.values()].map((thread) => thread.end()));
  }
}
