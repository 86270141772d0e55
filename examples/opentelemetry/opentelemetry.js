// Metrics for OpenTelemetry: counters and histograms follow the channels of all stores, gauges ask a store for its stats when they are read.
import { subscribe } from "node:diagnostics_channel";
import { metrics } from "@opentelemetry/api";
import { ConsoleMetricExporter, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { MessageStore } from "millrace";

// In the place of the console comes the exporter of your collector.
const reader = new PeriodicExportingMetricReader({ exporter: new ConsoleMetricExporter(), exportIntervalMillis: 10_000 });
const provider = new MeterProvider({ readers: [reader] });
metrics.setGlobalMeterProvider(provider);
const meter = metrics.getMeter("millrace");

function followChannels() {
  const messages = meter.createCounter("millrace.put.messages");
  const bytes = meter.createCounter("millrace.put.bytes", { unit: "By" });
  const failed = meter.createCounter("millrace.put.failed");
  const answer = meter.createHistogram("millrace.put.duration", { unit: "us", description: "Mean of each group of answers." });
  const force = meter.createHistogram("millrace.force.duration", { unit: "us", description: "Mean of a tenth of a second." });
  const rolls = meter.createCounter("millrace.rolls");
  const errors = meter.createCounter("millrace.errors");
  subscribe("millrace:put", ({ store, ...put }) => {
    messages.add(put.messages, { store });
    bytes.add(put.bytes, { store });
    failed.add(put.failed, { store });
    answer.record(put.meanUs, { store });
  });
  subscribe("millrace:force", ({ store, meanUs }) => force.record(meanUs, { store }));
  subscribe("millrace:roll", ({ store, rolls: count }) => rolls.add(count, { store }));
  subscribe("millrace:error", ({ store, code }) => errors.add(1, { store, code }));
}

/** Until the function returned is called. */
function showStats(name, store) {
  const lag = meter.createObservableGauge("millrace.consumer.lag", { description: "Messages that a group has not consumed." });
  const behind = meter.createObservableGauge("millrace.dispatch.behind", { unit: "By" });
  const ring = meter.createObservableGauge("millrace.ring.used", { unit: "By" });
  const observe = (result) => {
    const { consumers, dispatch, ring: ringStats } = store.stats();
    for (const group of consumers.groups) result.observe(lag, group.lag, { store: name, group: group.group });
    result.observe(behind, dispatch.behindBytes, { store: name });
    result.observe(ring, ringStats.usedBytes, { store: name });
  };
  meter.addBatchObservableCallback(observe, [lag, behind, ring]);
  return () => meter.removeBatchObservableCallback(observe, [lag, behind, ring]);
}

followChannels();
const directory = process.argv[2] ?? "observed-store";
const store = await MessageStore.open({ storePathRootDir: directory, flushDiskType: "SYNC_FLUSH" });
const hide = showStats(directory, store);
await store.putAll(Array.from({ length: 100 }, (_, n) => ({ topic: "Orders", queueId: 0, body: Buffer.from(`order ${n}`) })));
for await (const { nextOffset } of store.consume({ topic: "Orders", queueId: 0, from: "earliest" })) {
  store.consumerOffsets.commit("billing", "Orders", 0, Math.min(nextOffset, 60));
  if (nextOffset >= 100) break;
}
await provider.forceFlush();
hide();
await store.close();
await provider.shutdown();
