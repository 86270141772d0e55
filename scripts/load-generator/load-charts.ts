import type { LatencyHistogram } from "@millrace/shared-memory";
import type { LoadSample } from "./load-sampler.js";
import { formatCount, formatUs, REPORTED_SHARES } from "./load-summary.js";
import type { Chart, Line } from "./report-chart.js";
import { linesOf, nineText } from "./report-page.js";

/** What the plots of a run are made of. */
export interface LoadSeries {
  readonly samples: readonly LoadSample[];
  /** Share of the puts, 0 to 1, and what they took at most, in microseconds. */
  readonly percentiles: readonly (readonly [share: number, us: number])[];
}

export function percentilesOf(latencyUs: LatencyHistogram): LoadSeries["percentiles"] {
  return REPORTED_SHARES.map((share) => [share, latencyUs.quantile(share)] as const);
}

/** The plots of a run. @param name before their titles, where there are several runs */
export function loadCharts(run: LoadSeries, earlier: LoadSeries | undefined, name?: string): Chart[] {
  const title = (text: string): string => (name === undefined ? text : `${name}: ${text}`);
  const over = (label: string, color: Line["color"], value: (sample: LoadSample) => number): Line[] =>
    linesOf(run, earlier, label, color, ({ samples }) => samples.map((sample) => [sample.seconds, value(sample)] as const));
  const time = { x: "linear" as const, xText: (x: number) => `${x < 10 ? x.toFixed(1) : x.toFixed(0)} s` };
  return [
    { ...time, title: title("messages a second"), yText: formatCount, lines: over("acknowledged", "a", ({ rate }) => rate) },
    {
      ...time,
      title: title("latency over time"),
      yText: formatUs,
      lines: [...over("p50", "a", ({ p50Us }) => p50Us), ...over("p99", "b", ({ p99Us }) => p99Us)],
    },
    {
      title: title("latency by percentile"),
      x: "nines",
      xText: nineText,
      yText: formatUs,
      lines: linesOf(run, earlier, "put to acknowledgement", "a", ({ percentiles }) =>
        percentiles.map(([share, us]) => [-Math.log10(1 - share), us] as const),
      ),
    },
    {
      ...time,
      title: title("ring full"),
      yText: (y) => `${Number((100 * y).toPrecision(2))} %`,
      lines: over("ring", "a", ({ ring }) => ring),
    },
    { ...time, title: title("forces a second"), yText: formatCount, lines: over("forces", "a", ({ forces }) => forces) },
    { ...time, title: title("readers behind, messages"), yText: formatCount, lines: over("lag", "a", ({ lag }) => lag) },
    {
      ...time,
      title: title("the event loop and garbage collection, ms"),
      yText: (y) => y.toFixed(1),
      lines: [...over("longest turn", "a", ({ loopDelayMs }) => loopDelayMs), ...over("collecting", "b", ({ gcMs }) => gcMs)],
    },
  ];
}
