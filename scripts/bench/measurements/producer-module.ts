import type { PutTarget } from "../../load-generator/load-target.js";

interface Producer extends PutTarget {
  close(): Promise<void>;
}

/** What is used here of `@millrace/store/producer`, and of the store for it. */
export interface ProducerModule {
  readonly MessageProducer: { attach(handle: unknown): Producer | Promise<Producer> };
}

export interface ProducerStore {
  producerHandle(): unknown;
}

const MODULE = "@millrace/store/producer";

/** undefined: this store has no producers on other threads. */
export async function producerModule(): Promise<ProducerModule | undefined> {
  try {
    return (await import(MODULE)) as ProducerModule;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ERR_PACKAGE_PATH_NOT_EXPORTED") return undefined;
    throw error;
  }
}
