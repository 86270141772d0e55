import { ControlBlock, IdleThread, monotonicUs, ServiceFailure, ServiceState, ServiceThread } from "@millrace/shared-memory";
import test, { type ExecutionContext } from "ava";
import { until } from "../support/until.js";
import type { SampleControl, SampleData, SampleKind } from "./sample-service.js";

interface Sample {
  readonly service: ServiceThread<SampleControl>;
  readonly counters: ControlBlock<"main">["counters"];
}

async function start(
  t: ExecutionContext,
  kind: SampleKind,
  thread = new IdleThread(new URL("sample-service.js", import.meta.url)),
): Promise<Sample> {
  const { buffer, counters } = ControlBlock.attach(ControlBlock.create({}), "main");
  const service = await ServiceThread.start<SampleControl, SampleData>({
    name: "sample",
    thread,
    data: { control: buffer, kind },
    controlBell: counters.controlBell,
    onReport: () => {},
    unref: false,
    sleepsOn: counters.queueSlots,
  });
  t.teardown(() => service.destroy());
  return { service, counters };
}

test.serial("a service that cannot start says why, with its code", async (t) => {
  const error = await t.throwsAsync(start(t, "fails to start"), {
    code: "ERR_SAMPLE",
    message: "service did not start: no such thing service=sample",
  });
  const cause = error?.cause as ServiceFailure;
  t.true(cause instanceof ServiceFailure);
  t.regex(String(cause.stack), /^Error: no such thing\n\s+at .*sample-service/, "the stack is the service's own");
  await t.throwsAsync(start(t, "throws before it runs"), { code: "ERR_SAMPLE" });
});

test.serial("a control call is answered by a service that is parked, and by one that is busy", async (t) => {
  for (const kind of ["parked", "busy"] as const) {
    const { service, counters } = await start(t, kind);
    for (let n = 1; n <= 20; n++) {
      const began = performance.now();
      t.is(await service.call((control) => control.count(n)), n * 2);
      t.true(performance.now() - began < 1000, kind);
    }
    t.is(counters.appendMessages.get(), 20, kind);
    await service.destroy();
  }
});

test.serial("an idle service gives signs of life", async (t) => {
  const { counters } = await start(t, "parked");
  const first = counters.appendHeartbeatUs.get();
  t.true(Math.abs(monotonicUs() - first) < 5e6, "on the time line of all threads");
  await t.notThrowsAsync(until(() => counters.appendHeartbeatUs.get() > first));
});

test.serial("a stop lets the service finish its work, and close", async (t) => {
  const { service, counters } = await start(t, "has work");
  t.deepEqual(await service.stop(), { ok: true });
  t.is(counters.appendBytes.get(), 1000, "all of the work was done");
  t.is(counters.appendGroups.get(), 1, "and then it closed, once");
  t.is(counters.appendState.get(), ServiceState.stopped);
  t.deepEqual(await service.stop(), { ok: true });
});

test.serial("a service that throws is an outcome with its code, and has closed", async (t) => {
  const { service, counters } = await start(t, "parked");
  void service.call((control) => control.failSoon()).catch(() => {});
  const outcome = await service.ended;
  t.like(outcome, { ok: false, service: "append", code: "ERR_SAMPLE", message: "no such thing" });
  t.regex(outcome.ok ? "" : (outcome.stack ?? ""), /no such thing\n\s+at .*sample-service/);
  t.is(counters.appendState.get(), ServiceState.failed);
  t.is(counters.appendGroups.get(), 1);
});

test.serial("a service whose thread dies is an outcome, within a second, also while somebody waits for an answer", async (t) => {
  const { service } = await start(t, "parked");
  const began = performance.now();
  void service.call((control) => control.dieSoon()).catch(() => {});
  t.like(await service.ended, { ok: false, service: "sample", code: "ERR_SERVICE_DIED" });
  t.true(performance.now() - began < 1000);
  t.like(await service.stop(), { ok: false, code: "ERR_SERVICE_DIED" });
});

test.serial("a question is answered, or rejected when the service ends first", async (t) => {
  const { service } = await start(t, "parked");
  t.is(await service.ask((control) => control.count(3)), 6);
  await t.throwsAsync(
    service.ask((control) => {
      void control.dieSoon();
      return new Promise(() => {});
    }),
    { code: "ERR_SERVICE_ENDED" },
  );
  await service.ended;
  await t.throwsAsync(
    service.ask((control) => control.count(1)),
    { code: "ERR_SERVICE_ENDED" },
  );
});

test.serial("destroy cuts a busy service off, and may be called again", async (t) => {
  const { service } = await start(t, "busy");
  await service.destroy();
  t.like(await service.ended, { ok: false, service: "sample" });
  await t.notThrowsAsync(service.destroy());
});

test.serial("a thread that waits for its service may be ended; of one that has died the start says why", async (t) => {
  const idle = new IdleThread(new URL("sample-service.js", import.meta.url));
  await idle.end();
  t.regex(String(await idle.died), /the thread ended/);
  await idle.end();
  const broken = new IdleThread(new URL("no-such-service.js", import.meta.url));
  t.regex(String(await broken.died), /no-such-service/);
  await t.throwsAsync(start(t, "parked", broken), { code: "ERR_SERVICE_DIED", message: /no-such-service/ });
});
