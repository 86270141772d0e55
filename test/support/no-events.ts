import type { StoreEventSink } from "#store/tell/store-event.js";

/** Where nobody listens. */
export const NO_EVENTS: StoreEventSink = { emit: () => {} };
