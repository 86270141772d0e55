import { getEventListeners } from "node:events";
import test from "ava";
import { ScanProgress } from "#store/recover/scan/scan-progress.js";

test("a signal that is heeded aborts, at once when it has been aborted, and is left alone afterwards", (t) => {
  const [controller, progress] = [new AbortController(), new ScanProgress()];
  {
    using _heeded = progress.heed(controller.signal);
    t.is(getEventListeners(controller.signal, "abort").length, 1);
  }
  t.is(getEventListeners(controller.signal, "abort").length, 0);
  controller.abort();
  t.false(progress.isAborted);
  {
    using _heeded = progress.heed(controller.signal);
    t.true(progress.isAborted);
  }
  const [other, later] = [new AbortController(), new ScanProgress()];
  using _heeded = later.heed(other.signal);
  using _nobody = later.heed(undefined);
  t.false(later.isAborted);
  other.abort();
  t.true(later.isAborted);
});
