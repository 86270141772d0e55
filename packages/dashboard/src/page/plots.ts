import uPlot from "uplot";
import type { Frame, OpenFrame } from "../sample/frame.js";
import { element, setText, svgElement } from "./element.js";
import type { FrameHistory } from "./frame-history.js";
import { bytes, duration, moment, NOTHING, rate } from "./number-format.js";

const HEIGHT = 150;
const WINDOW_SECONDS = 120;
/** Lines are told apart by their dashes, not by colours. */
const DASHES: readonly number[][] = [[], [5, 4], [1, 4]];

interface PlotSeries {
  readonly label: string;
  readonly value: (frame: Frame) => number | undefined;
}

interface PlotSpec {
  readonly title: string;
  readonly format: (value: number) => string;
  /** Times are plotted on a log scale. */
  readonly isTime: boolean;
  readonly series: readonly PlotSeries[];
}

function ofOpen(label: string, value: (frame: OpenFrame) => number | undefined): PlotSeries {
  return { label, value: (frame) => (frame.kind === "open" ? value(frame) : undefined) };
}

const perSecond = (value: number): string => `${rate(value)}/s`;

const OPEN_PLOTS: readonly PlotSpec[] = [
  {
    title: "Messages",
    format: perSecond,
    isTime: false,
    series: [ofOpen("put", (f) => f.pipeline.put.perSecond), ofOpen("dispatched", (f) => f.pipeline.dispatch.perSecond)],
  },
  {
    title: "Put to acknowledgement",
    format: duration,
    isTime: true,
    series: [ofOpen("p50", (f) => f.pipeline.put.ackUs.p50), ofOpen("p99", (f) => f.pipeline.put.ackUs.p99)],
  },
  {
    title: "A force",
    format: duration,
    isTime: true,
    series: [ofOpen("p50", (f) => f.pipeline.force.forceUs.p50), ofOpen("p99", (f) => f.pipeline.force.forceUs.p99)],
  },
  {
    title: "Waiting",
    format: bytes,
    isTime: false,
    series: [
      ofOpen("not durable", (f) => f.pipeline.force.undurableBytes),
      ofOpen("not dispatched", (f) => f.pipeline.dispatch.behindBytes),
      ofOpen("in the ring", (f) => f.pipeline.ring.usedBytes),
    ],
  },
];

const FOLLOWED_PLOTS: readonly PlotSpec[] = [
  {
    title: "Messages",
    format: perSecond,
    isTime: false,
    series: [{ label: "dispatched", value: (frame) => (frame.kind === "followed" ? frame.messagesPerSecond : undefined) }],
  },
  {
    title: "Log",
    format: (value) => `${bytes(value)}/s`,
    isTime: false,
    series: [{ label: "written", value: (frame) => (frame.kind === "followed" ? frame.bytesPerSecond : undefined) }],
  },
];

/** Rates and latencies of the last two minutes, each with its values now, or where the pointer is. */
export class Plots {
  readonly #plots: RunningPlot[];

  constructor(root: HTMLElement, kind: Frame["kind"]) {
    this.#plots = (kind === "open" ? OPEN_PLOTS : FOLLOWED_PLOTS).map((spec) => new RunningPlot(spec));
    root.replaceChildren(...this.#plots.map(({ root }) => root));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const plot of this.#plots) plot.forgetColours();
    });
  }

  show(history: FrameHistory): void {
    for (const plot of this.#plots) plot.show(history);
  }
}

class RunningPlot {
  readonly root: HTMLElement;
  readonly #spec: PlotSpec;
  readonly #place = element("div", { class: "plot" });
  readonly #values: HTMLElement[];
  #plot: uPlot | undefined;

  constructor(spec: PlotSpec) {
    this.#spec = spec;
    this.#values = spec.series.map(() => element("span", { class: "value" }, NOTHING));
    const legend = spec.series.map(({ label }, index) =>
      element("span", { class: "series" }, lineSample(index), `${label} `, this.#values[index] as HTMLElement),
    );
    this.root = element("figure", {}, element("figcaption", {}, element("h3", {}, spec.title), ...legend), this.#place);
    new ResizeObserver(() => this.#plot?.setSize({ width: this.#place.clientWidth, height: HEIGHT })).observe(this.#place);
  }

  show(history: FrameHistory): void {
    const data = history.columns(this.#spec.series.map(({ value }) => value)) as uPlot.AlignedData;
    if (this.#plot === undefined && this.#place.clientWidth > 0) {
      this.#plot = new uPlot(
        plotOptions(this.#spec, this.#place, () => this.#showValues()),
        data,
        this.#place,
      );
    }
    this.#plot?.setData(data);
    this.#showValues();
  }

  /** They come from the style sheet, which follows the theme. */
  forgetColours(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #showValues(): void {
    const { data, cursor } = this.#plot ?? {};
    if (data === undefined) return;
    const index = cursor?.idx ?? data[0].length - 1;
    for (const [series, node] of this.#values.entries()) {
      const value = data[series + 1]?.[index];
      setText(node, value === null || value === undefined ? NOTHING : this.#spec.format(value));
    }
  }
}

function plotOptions({ series, isTime, format }: PlotSpec, place: HTMLElement, onCursor: () => void): uPlot.Options {
  const style = getComputedStyle(place);
  const [ink, grid] = [style.getPropertyValue("--ink"), style.getPropertyValue("--rule")];
  const axis = {
    stroke: style.getPropertyValue("--muted"),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
  };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    hooks: { setCursor: [onCursor] },
    scales: {
      x: { range: (_plot, _min, max) => [max - WINDOW_SECONDS, max] },
      y: isTime ? { distr: 3, log: 10 } : { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] },
    },
    axes: [
      { ...axis, size: 24, space: 80, values: (_plot, splits) => splits.map((seconds) => moment(1000 * seconds).slice(-8)) },
      { ...axis, size: 64, space: 34, values: (_plot, splits) => splits.map((value) => (value === null ? "" : format(value))) },
    ],
    series: [{}, ...series.map((_, index) => ({ stroke: ink, width: 1.5, dash: DASHES[index] ?? [], points: { show: false } }))],
  };
}

function lineSample(index: number): SVGSVGElement {
  const dash = (DASHES[index] ?? []).join(" ");
  const line = svgElement("line", { x1: "0", y1: "4", x2: "22", y2: "4", "stroke-dasharray": dash === "" ? undefined : dash });
  return svgElement("svg", { class: "line-sample", viewBox: "0 0 22 8", "aria-hidden": "true" }, line);
}
