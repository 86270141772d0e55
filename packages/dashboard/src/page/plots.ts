import type { Frame } from "../frame.js";
import { bytes, duration, element, make, rate } from "./elements.js";
import UPlot, { type Series } from "./uplot.js";

/** Five minutes of four frames a second. */
const POINTS = 1200;
const HEIGHT = 190;
const AXIS_WIDTH = 72;
const MS_PER_SECOND = 1000;

interface PlotLine {
  readonly label: string;
  /** Of the page's colours. */
  readonly color: string;
  /** A pattern besides, for those who do not tell the colours apart. */
  readonly dash?: readonly number[];
  readonly value: (frame: Frame) => number | undefined;
}

const stageOf = (frame: Frame, name: string) => frame.stages.find((stage) => stage.name === name);

const PLOTS: readonly { title: string; text: (value: number) => string; lines: readonly PlotLine[] }[] = [
  {
    title: "messages a second",
    text: rate,
    lines: [
      { label: "put", color: "--blue", value: (frame) => frame.messagesPerSecond },
      { label: "dispatched", color: "--green", dash: [6, 3], value: (frame) => stageOf(frame, "dispatch")?.rate },
    ],
  },
  {
    title: "latency",
    text: duration,
    lines: [
      { label: "put to acknowledgement", color: "--blue", value: (frame) => frame.putToAckUs?.mean },
      { label: "force", color: "--orange", dash: [6, 3], value: (frame) => stageOf(frame, "force")?.latencyUs?.mean },
    ],
  },
  {
    title: "bytes",
    text: bytes,
    lines: [
      { label: "a second", color: "--blue", value: (frame) => frame.bytesPerSecond },
      { label: "not consumable yet", color: "--purple", dash: [2, 3], value: (frame) => frame.behindBytes },
    ],
  },
];

/** The plots, and what they show: the last frames, in memory of the page alone. */
export class Plots {
  readonly #plots: { readonly plot: UPlot; readonly holder: HTMLElement; readonly data: (number | null)[][] }[] = [];
  readonly #times: number[] = [];

  constructor() {
    for (const { title, text, lines } of PLOTS) {
      const holder = make("div", { class: "plot", role: "img", "aria-label": `${title}, as a plot over time` });
      element("plots").append(holder);
      const data: (number | null)[][] = lines.map(() => []);
      const series = lines.map(({ label, color: name, dash }): Series => {
        const value = (_: unknown, at: number | null): string => (at === null ? "–" : text(at));
        return { label, stroke: () => color(name), width: 2, ...(dash === undefined ? {} : { dash }), value };
      });
      const line = { stroke: () => color("--line"), width: 1 };
      const axis = { stroke: () => color("--soft"), grid: line, ticks: line };
      const values = (_: unknown, at: readonly (number | null)[]): string[] =>
        at.map((value) => (value === null ? "" : text(value)));
      const size = { width: widthOf(holder), height: HEIGHT };
      const axes = [axis, { ...axis, size: AXIS_WIDTH, values }];
      const plot = new UPlot(
        { ...size, title, series: [{}, ...series], axes, cursor: { drag: { x: false, y: false } } },
        [[], ...data],
        holder,
      );
      this.#plots.push({ plot, holder, data });
    }
    new ResizeObserver(() => this.#resize()).observe(element("plots"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const { plot } of this.#plots) plot.redraw();
    });
  }

  add(frame: Frame): void {
    this.#times.push(frame.time / MS_PER_SECOND);
    if (this.#times.length > POINTS) this.#times.shift();
    for (const [at, { plot, data }] of this.#plots.entries()) {
      for (const [index, { value }] of (PLOTS[at]?.lines ?? []).entries()) {
        const line = data[index] as (number | null)[];
        line.push(value(frame) ?? null);
        if (line.length > POINTS) line.shift();
      }
      plot.setData([this.#times, ...data]);
    }
  }

  #resize(): void {
    for (const { plot, holder } of this.#plots) plot.setSize({ width: widthOf(holder), height: HEIGHT });
  }
}

function widthOf(holder: HTMLElement): number {
  return Math.max(200, holder.clientWidth);
}

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
