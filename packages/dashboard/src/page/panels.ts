import type { Frame, StageFrame } from "../frame.js";
import { bytes, count, duration, element, fill, make, pairs, rate, table } from "./elements.js";

/** Everything on the page but plots and search: each panel from one frame. */
export function showFrame(frame: Frame): void {
  fill(element("directory"), frame.directory);
  fill(element("state"), `${frame.role === "reading" ? "read beside: " : ""}${frame.state}`);
  const fence = element("fence");
  fence.hidden = frame.fence === undefined;
  fill(fence, frame.fence ?? "");
  showPipeline(frame);
  showFigures(frame);
  showLog(frame);
  showTables(frame);
}

function showPipeline({ limit, stages }: Frame): void {
  const name = limit.stage === "none" ? "" : `${limit.stage}: `;
  fill(element("limit"), make("strong", {}, "Limits now: "), `${name}${limit.reason}`);
  const list = element("stages");
  if (stages.length === 0) return fill(list, make("li", { class: "empty" }, "The threads belong to another process."));
  fill(list, ...stages.map((stage) => stageCard(stage, limit.stage === stage.name)));
}

function stageCard(stage: StageFrame, isLimit: boolean): HTMLElement {
  const title = make("h3", {}, stage.name, ...(isLimit ? [make("span", { class: "mark" }, "▲ limits now")] : []));
  const card = make("li", { class: isLimit ? "stage limits" : "stage" }, title);
  card.append(make("p", { class: "rate" }, `${rate(stage.rate)}/s`), make("p", { class: "about" }, stage.unit));
  if (stage.load !== undefined) {
    const load = Math.min(1, Math.max(0, stage.load));
    const text = `${Math.round(load * 100)} %`;
    const word = stage.name === "ring" ? "full" : "busy";
    card.append(make("meter", { min: "0", max: "1", value: load.toFixed(2), title: `${text} ${word}` }, text));
    card.append(make("p", { class: "about" }, `${text} ${word}`));
  }
  card.append(make("p", {}, stage.queue));
  const { latencyUs } = stage;
  if (latencyUs !== undefined) {
    const mean = latencyUs.mean === undefined ? "–" : duration(latencyUs.mean);
    card.append(make("p", {}, `${mean} now, p99 ${duration(latencyUs.p99)}`));
  }
  card.append(make("p", { class: "about" }, stage.about));
  return card;
}

function showFigures(frame: Frame): void {
  const { putToAckUs: latency, disk } = frame;
  const ack: (readonly [string, string])[] =
    latency === undefined
      ? []
      : [
          ["put to acknowledgement, now", latency.mean === undefined ? "–" : duration(latency.mean)],
          ["p50, p99, p99.9", [latency.p50, latency.p99, latency.p999].map(duration).join(", ")],
        ];
  const room = disk.totalBytes === undefined ? "" : ` of ${bytes(disk.totalBytes)}`;
  fill(
    element("figures"),
    ...pairs(
      ["messages a second", rate(frame.messagesPerSecond)],
      ["bytes a second", bytes(frame.bytesPerSecond)],
      ...ack,
      ["not consumable yet", bytes(frame.behindBytes)],
      ["disk used", `${Math.round(frame.disk.usedRatio * 100)} %${room}`],
      ["transactions undecided, about", count(frame.undecided)],
      ["delayed messages due later", count(frame.delays.reduce((sum, { waiting }) => sum + waiting, 0))],
    ),
  );
}

const SEGMENTS_SHOWN = 60;
const SVG = "http://www.w3.org/2000/svg";

/** The log as a strip: each segment a box, filled as far as it is durable, written, ready. */
function showLog({ log }: Frame): void {
  const { minOffset, durableOffset = log.wroteOffset, wroteOffset, readyOffset = wroteOffset, segmentSize } = log;
  const first = Math.floor(minOffset / segmentSize);
  const last = Math.max(first, Math.ceil(Math.max(readyOffset, 1) / segmentSize) - 1);
  const from = Math.max(first, last - SEGMENTS_SHOWN + 1);
  const boxes = Array.from({ length: last - from + 1 }, (_, i) => {
    const start = (from + i) * segmentSize;
    const part = (offset: number): number => Math.min(1, Math.max(0, (offset - start) / segmentSize));
    const parts = [part(durableOffset), part(wroteOffset), part(readyOffset)];
    const words = `segment at ${count(start)}: ${parts.map((p) => `${Math.round(p * 100)} %`).join(", ")} durable, written, ready`;
    return make("li", { title: words, "aria-label": words }, strip(parts));
  });
  fill(element("segments"), ...boxes);
  const hidden = from - first;
  const swatch = (kind: string): Node => {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "swatch");
    svg.setAttribute("aria-hidden", "true");
    svg.append(rectangle(kind, 0, 1));
    svg.setAttribute("viewBox", "0 0 1 1");
    return svg;
  };
  const legend = [swatch("durable"), "durable", swatch("written"), "written, not yet durable", swatch("ready"), "ready"];
  fill(element("legend"), ...(hidden > 0 ? [`${count(hidden)} older segments are not shown.`] : []), ...legend);
  const deleted = log.deletedSegments === undefined ? [] : [["segments deleted by retention", count(log.deletedSegments)] as const];
  fill(
    element("log"),
    ...pairs(
      ["begins at", count(minOffset)],
      ["durable below", log.durableOffset === undefined ? "not known" : count(log.durableOffset)],
      ["ends at", count(wroteOffset)],
      ["segments", `${count(last - first + 1)} of ${bytes(segmentSize)}`],
      ...deleted,
    ),
  );
}

function strip(parts: readonly number[]): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 1 1");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const [durable = 0, written = 0, ready = 0] = parts;
  svg.append(rectangle("ready", 0, ready), rectangle("written", 0, written), rectangle("durable", 0, durable));
  return svg;
}

function rectangle(kind: string, x: number, width: number): SVGElement {
  const rect = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ class: kind, x, y: 0, width: width.toFixed(4), height: 1 }))
    rect.setAttribute(name, String(value));
  return rect;
}

function showTables(frame: Frame): void {
  const queues = frame.queues.map((q) => [q.topic, q.queueId, q.minOffset, q.maxOffset, q.maxOffset - q.minOffset]);
  const more = frame.queuesTotal - queues.length;
  fill(
    element("queues"),
    table(["topic", "queue", "min", "max", "messages"], queues, "No queue has a message yet."),
    ...(more > 0 ? [make("p", { class: "empty" }, `${count(more)} more queues are not shown.`)] : []),
  );
  const lags = frame.lags.map((l) => [l.group, l.topic, l.queueId, l.offset, l.lag]);
  fill(element("lags"), table(["group", "topic", "queue", "offset", "lag"], lags, "No group has committed anything."));
  const services = frame.services.map((s) => [
    "thread",
    s.name,
    `${s.state}, last sign of life ${duration(s.heartbeatAgeMs * 1000)} ago`,
  ]);
  const slaves = frame.slaves.map((s) => [
    "slave",
    s.address,
    `${s.inSync ? "in sync" : "not in sync"}, ${bytes(s.behindBytes)} behind`,
  ]);
  const delays = frame.delays.map((d) => ["delay level", String(d.level), `${count(d.waiting)} messages wait`]);
  fill(
    element("services"),
    table(["what", "which", "how"], [...services, ...slaves, ...delays], "They are known to the process that has the store open."),
  );
  const errors = frame.errors.map((e) => [new Date(e.time).toISOString(), e.service, e.code, e.message]);
  fill(element("errors"), table(["when", "who", "code", "what"], errors, "Nothing has failed since the store was opened."));
  const topics = [...new Set(frame.queues.map(({ topic }) => topic))].sort();
  fill(element("topics"), ...topics.map((value) => make("option", { value })));
}
