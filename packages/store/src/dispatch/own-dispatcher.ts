import { pathToFileURL } from "node:url";
import { DispatchRequest, MillraceError, shownValue } from "@millrace/format";
import type { CommitLogDispatcher, CommitLogDispatcherFactory } from "./commit-log-dispatcher.js";

/** A module that connects to something may take its time; one that never settles must not keep the store from opening. */
const LOAD_TIMEOUT_MS = 60_000;
const SHORTEST_COPY = 4096;

/**
 * A user's dispatcher. It is shown a copy of each record: what it writes there reaches neither the log, nor the mapping of this thread,
 * nor another dispatcher.
 */
export class OwnDispatcher implements CommitLogDispatcher {
  readonly name: string;
  readonly #dispatcher: CommitLogDispatcher;
  readonly #request = new DispatchRequest();
  #copy = Buffer.alloc(SHORTEST_COPY);

  /** @forTests Use {@link load}. */
  constructor(dispatcher: CommitLogDispatcher) {
    this.#dispatcher = dispatcher;
    this.name = dispatcher.name;
  }

  /**
   * Imports the module and has it make its dispatcher.
   *
   * @throws MillraceError `ERR_DISPATCHER_ILLEGAL`, `ERR_DISPATCHER_TIMEOUT`; and what the module throws
   */
  static async load(module: string, storePathRootDir: string, timeoutMs = LOAD_TIMEOUT_MS): Promise<OwnDispatcher> {
    let timer: NodeJS.Timeout | undefined;
    const timeOut = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const text = `a dispatcher's module, or the function that it exports, does not settle: module=${module} ms=${timeoutMs}`;
        reject(new MillraceError("ERR_DISPATCHER_TIMEOUT", text));
      }, timeoutMs);
    });
    try {
      return new OwnDispatcher(await Promise.race([load(module, storePathRootDir), timeOut]));
    } finally {
      clearTimeout(timer);
    }
  }

  /** @throws MillraceError `ERR_DISPATCHER_ILLEGAL` */
  handledOffset(): number {
    const offset = this.#dispatcher.handledOffset?.() ?? Number.MAX_SAFE_INTEGER;
    if (Number.isSafeInteger(offset) || offset === Number.POSITIVE_INFINITY) return offset;
    const reason = "handledOffset of a dispatcher answers at once with an integer";
    throw new MillraceError("ERR_DISPATCHER_ILLEGAL", `${reason}: name=${this.name} offset=${shownValue(offset)}`);
  }

  dispatch({ bytes, msgSize, propertiesPosition, propertiesLength }: DispatchRequest): void {
    const end = propertiesPosition + propertiesLength; // of the record
    if (this.#copy.length < msgSize) this.#copy = Buffer.alloc(2 * msgSize);
    this.#copy.set(bytes.subarray(end - msgSize, end));
    this.#request.read(this.#copy, 0, msgSize);
    this.#dispatcher.dispatch(this.#request);
  }

  endGroup(): void {
    this.#dispatcher.endGroup?.();
  }

  unforcedPaths(): string[] {
    return this.#dispatcher.unforcedPaths?.() ?? [];
  }

  force(): void {
    this.#dispatcher.force?.();
  }

  deleteExpired(minPhysicalOffset: number): void {
    this.#dispatcher.deleteExpired?.(minPhysicalOffset);
  }

  close(): void {
    this.#dispatcher.close?.();
  }
}

async function load(module: string, storePathRootDir: string): Promise<CommitLogDispatcher> {
  const url = module.startsWith("file:") ? module : pathToFileURL(module).href;
  const loaded = (await import(url)) as { default?: unknown };
  if (typeof loaded.default !== "function") {
    throw new MillraceError("ERR_DISPATCHER_ILLEGAL", `a dispatcher's module exports a function as default: module=${module}`);
  }
  const dispatcher = await (loaded.default as CommitLogDispatcherFactory)({ storePathRootDir });
  if (typeof dispatcher?.dispatch !== "function") {
    throw new MillraceError("ERR_DISPATCHER_ILLEGAL", `a dispatcher has a method named dispatch: module=${module}`);
  }
  return dispatcher;
}
