import { COUNTERS } from "@millrace/shared-memory";
import { toPrometheus } from "@millrace/stats";
import test from "ava";
import { NO_LATENCY, sampleStoreStats } from "./sample-store-stats.js";

const HEAD = /^# (HELP|TYPE) (millrace_[a-z0-9_]+) (.+)$/;
const SAMPLE =
  /^(millrace_[a-z0-9_]+)(\{[a-z]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z]+="(?:[^"\\\n]|\\[\\"n])*")*\})? (NaN|[+-]Inf|-?[0-9.e+-]+)$/;

const SUFFIXES: Readonly<Record<string, string[]>> = { summary: ["_sum", "_count"], histogram: ["_bucket", "_sum", "_count"] };

interface Family {
  readonly type: string;
  readonly samples: Map<string, number>;
}

/** Reads the exposition format and throws at the first line that is not of it. */
function parse(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  if (!text.endsWith("\n")) throw new Error("no line feed at the end");
  let name = "";
  let helped = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const head = HEAD.exec(line);
    if (head !== null) {
      if (head[1] === "HELP") {
        helped = head[2] as string;
        continue;
      }
      name = head[2] as string;
      if (helped !== name || families.has(name)) throw new Error(`HELP and TYPE once each, in this order: ${line}`);
      families.set(name, { type: head[3] as string, samples: new Map() });
      continue;
    }
    const sample = SAMPLE.exec(line);
    if (sample === null) throw new Error(`not a sample: ${line}`);
    const [, sampleName = "", labels = "", value] = sample;
    const family = families.get(name) as Family;
    const suffix = sampleName.slice(name.length);
    if (!sampleName.startsWith(name) || !["", ...(SUFFIXES[family.type] ?? [])].includes(suffix)) {
      throw new Error(`outside its family: ${line}`);
    }
    if (family.samples.has(suffix + labels)) throw new Error(`twice: ${line}`);
    family.samples.set(suffix + labels, Number(value));
  }
  return families;
}

test("every line is of the exposition format, every family has help and type, no sample comes twice", (t) => {
  const families = parse(toPrometheus(sampleStoreStats()));
  t.true(families.size > 30);
  for (const [name, { type, samples }] of families) {
    t.is(name.endsWith("_total"), type === "counter", name);
    t.true(samples.size > 0, name);
  }
});

test("a metric that is a shared word has the sentence and the type of the word", (t) => {
  const text = toPrometheus(sampleStoreStats());
  const head = (name: string, help: string, type: string) =>
    t.true(text.includes(`# HELP millrace_${name} ${help}\n# TYPE millrace_${name} ${type}\n`), name);
  head("min_offset_bytes", COUNTERS.minOffset.help, "gauge");
  head("segment_rolls_total", COUNTERS.appendRolls.help, "counter");
  head("allocate_locked_bytes", COUNTERS.allocateLockedBytes.help, "gauge");
  head("store_state", `${COUNTERS.storeState.help} The present one is 1.`, "gauge");
});

test("times are seconds and sizes bytes", (t) => {
  const families = parse(toPrometheus(sampleStoreStats()));
  const value = (name: string, labels = "") => families.get(`millrace_${name}`)?.samples.get(labels);
  t.is(value("put_messages_total"), 1_234_567);
  t.is(value("flushed_offset_bytes"), 7000);
  t.is(value("segment_roll_max_seconds"), 0.0015);
  t.is(value("flush_force_seconds", '{quantile="0.99"}'), 0.0003);
  t.is(value("flush_force_seconds", '{quantile="1"}'), 0.0005);
  t.is(value("flush_force_seconds", "_count"), 4);
  t.is(value("put_to_ack_seconds", "_sum"), 8);
  t.is(value("service_heartbeat_age_seconds", '{service="append"}'), 0.25);
  t.is(value("schedule_held_up_seconds", '{level="3"}'), 1.5);
  t.is(value("topic_put_bytes_total", '{topic="TopicB"}'), 900);
});

test("exactly one state of the store and of each service is 1", (t) => {
  const families = parse(toPrometheus(sampleStoreStats({ state: "fenced" })));
  const store = families.get("millrace_store_state")?.samples ?? new Map();
  t.deepEqual(
    [...store].filter(([, value]) => value === 1),
    [['{state="fenced"}', 1]],
  );
  const services = families.get("millrace_service_state")?.samples ?? new Map();
  t.deepEqual(
    [...services].filter(([, value]) => value === 1).map(([labels]) => labels),
    ['{service="append",state="running"}', '{service="flush",state="waiting"}'],
  );
});

test("label values are escaped", (t) => {
  const name = 'a"b\\c\nd';
  const stats = sampleStoreStats({ services: [{ name, state: "running", heartbeatAgeMs: 0 }] });
  const families = parse(toPrometheus(stats));
  t.true(families.get("millrace_service_heartbeat_age_seconds")?.samples.has('{service="a\\"b\\\\c\\nd"}'));
});

test("a summary without values has quantiles NaN, and a family without samples is left out", (t) => {
  const sample = sampleStoreStats();
  const families = parse(
    toPrometheus({
      ...sample,
      put: { ...sample.put, topics: [] },
      services: [],
      latency: { ...sample.latency, putToAckUs: NO_LATENCY },
    }),
  );
  t.is(families.get("millrace_put_to_ack_seconds")?.samples.get('{quantile="0.5"}'), Number.NaN);
  t.is(families.get("millrace_put_to_ack_seconds")?.samples.get("_count"), 0);
  t.false(families.has("millrace_topic_put_bytes_total"));
  t.false(families.has("millrace_service_state"));
});

test("each latency is a histogram beside its summary, whose buckets rise to its count", (t) => {
  const families = parse(toPrometheus(sampleStoreStats()));
  const { type, samples } = families.get("millrace_put_to_ack_histogram_seconds") as Family;
  t.is(type, "histogram");
  const buckets = [...samples].filter(([name]) => name.startsWith("_bucket"));
  t.deepEqual(buckets.slice(0, 3), [
    ['_bucket{le="0.00001"}', 1],
    ['_bucket{le="0.000015"}', 2],
    ['_bucket{le="0.000025"}', 3],
  ]);
  t.deepEqual(buckets.at(-1), ['_bucket{le="+Inf"}', 4]);
  t.deepEqual([samples.get("_count"), samples.get("_sum")], [4, 8]);
});

test("every sample has the store's label when it is given, and groups have their lag", (t) => {
  const lag = { group: "billing", topic: "Orders", queueId: 2, offset: 3, minOffset: 0, maxOffset: 10, lag: 7 };
  const text = toPrometheus(sampleStoreStats(), { store: "orders", lags: [lag] });
  parse(text);
  for (const line of text.split("\n")) if (line !== "" && !line.startsWith("#")) t.true(line.includes('{store="orders"'), line);
  t.true(text.includes('millrace_consumer_lag_messages{store="orders",group="billing",topic="Orders",queue="2"} 7\n'));
});
