import test from "ava";
import { chartSvg } from "#scripts/load-generator/report-chart.js";

test("a plot of a load of days is drawn, and what is no number is left out", (t) => {
  const points = Array.from({ length: 400_000 }, (_, n) => [n, n % 7 === 3 ? Number.NaN : n % 5] as const);
  const svg = chartSvg({
    title: "days",
    x: "linear",
    xText: String,
    yText: String,
    lines: [{ label: "rate", color: "a", isEarlier: false, points }],
  });
  t.true(svg.endsWith("</svg>"));
  t.notRegex(svg, /NaN|Infinity/);
});
