import { toPrometheus, toText } from "@millrace/stats";
import test from "ava";
import { METRICS } from "#stats/metrics.js";
import { NO_LATENCY, sampleStoreStats } from "./sample-store-stats.js";

test("the text fits a screen and says what a stage did", (t) => {
  const lines = toText(sampleStoreStats()).split("\n");
  t.true(lines.length <= 40);
  for (const line of lines) t.true(line.length <= 132 && line === line.trimEnd(), line);
  const line = (name: string) => lines.find((text) => text.startsWith(name)) ?? "";
  t.is(line("store"), "store           running at 2026-01-02T03:04:05.000Z");
  t.regex(line("put "), /messages 1,234,567 {2}bytes 5\.0 MiB {2}failed 3 {2}in flight 17/);
  t.regex(line("ring"), /used 1\.0 KiB {2}capacity 4\.0 KiB {2}used frames 48 {2}frames 64/);
  t.regex(line("append "), /messages 40 .* groups 10 {2}largest 12/);
  t.regex(line("put to ack"), /4 +2\.00 s +2\.00 s +4\.00 s/);
  t.regex(line("force"), /100 us +100 us +200 us +300 us +400 us +500 us$/);
  t.regex(line("flush  "), /forces 7/);
});

test("topics come busiest first, and at most eight of them", (t) => {
  const topics = Array.from({ length: 11 }, (_, i) => ({ topic: `T${i}`, messages: i, bytes: i }));
  const sample = sampleStoreStats();
  const lines = toText({ ...sample, put: { ...sample.put, topics } }).split("\n");
  const shown = lines.filter((line) => line.startsWith("topic"));
  t.is(shown.length, 8);
  t.regex(shown[0] ?? "", /T10 {2}10 messages/);
  t.regex(lines.at(-1) ?? "", /and 3 more topics/);
});

test("a store that has done nothing has no made-up numbers", (t) => {
  const sample = sampleStoreStats();
  const text = toText({
    ...sample,
    ring: { capacityBytes: 0, usedBytes: 0, capacityFrames: 0, usedFrames: 0 },
    append: { ...sample.append, messages: 0, groups: 0 },
    latency: { putToAppendUs: NO_LATENCY, appendToFlushUs: NO_LATENCY, putToAckUs: NO_LATENCY },
  });
  t.notRegex(text, /NaN|Infinity|undefined/);
});

test("each number of the table is in the text and in Prometheus' format, in both once", (t) => {
  const sample = sampleStoreStats();
  const [text, page] = [toText(sample), toPrometheus(sample)];
  for (const { section, label, name } of METRICS) {
    t.true(text.includes(` ${label} `), `${section}: ${label}`);
    t.is(page.split(`# TYPE millrace_${name} `).length, 2, name);
  }
  t.is(new Set(METRICS.map(({ section, label }) => `${section} ${label}`)).size, METRICS.length);
});
