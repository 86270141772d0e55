import { monotonicMs } from "@millrace/shared-memory";
import type { MessageStore, ReadOnlyMessageStore } from "@millrace/store";
import { FollowedSampler } from "./followed-sampler.js";
import type { Frame, Hello, Silence, StoreState } from "./frame.js";
import { PipelineSampler } from "./pipeline-sampler.js";
import { SamplePace } from "./sample-pace.js";
import { isOpenHere, StoreStateReader } from "./store-state-reader.js";

/** Four frames a second. */
export const FRAME_INTERVAL_MS = 250;
const STATE_INTERVAL_MS = 1000;

/** Where what was sampled goes. */
export interface SampleSink {
  frame(frame: Frame): void;
  state(state: StoreState): void;
  silent(silence: Silence): void;
}

/** Looks at the store, as often as is due and no more often than it costs nothing: see {@link SamplePace}. */
export class SampleSource {
  readonly hello: Hello;
  readonly #sampler: PipelineSampler | FollowedSampler;
  readonly #states: StoreStateReader;
  readonly #framePace = new SamplePace(FRAME_INTERVAL_MS);
  readonly #statePace = new SamplePace(STATE_INTERVAL_MS);

  constructor(store: MessageStore | ReadOnlyMessageStore) {
    const { storePathRootDir, flushDiskType, mappedFileSizeCommitLog } = store.config;
    const kind = isOpenHere(store) ? "open" : "followed";
    this.hello = { kind, directory: storePathRootDir, flushDiskType, segmentSize: mappedFileSizeCommitLog };
    this.#sampler = isOpenHere(store) ? new PipelineSampler(store) : new FollowedSampler(store);
    this.#states = new StoreStateReader(store);
  }

  /** What is due now; of a store that is closed, or a directory that cannot be read just now, why there is no frame. */
  sample(sink: SampleSink): void {
    attempt(
      this.#framePace,
      () => sink.frame(this.#sampler.frame()),
      (reason) => sink.silent({ reason }),
    );
    attempt(
      this.#statePace,
      () => sink.state(this.#states.read()),
      () => {}, // there are frames, or their absence is explained
    );
  }
}

function attempt(pace: SamplePace, take: () => void, onFailure: (reason: string) => void): void {
  const beganMs = monotonicMs();
  if (!pace.isDue(beganMs)) return;
  try {
    take();
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    onFailure(`${typeof code === "string" ? `${code} ` : ""}${message ?? error}`);
  }
  pace.taken(beganMs, monotonicMs());
}
