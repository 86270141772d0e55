import type { Frame } from "../sample/frame.js";
import { element, setText, svgElement } from "./element.js";
import { bytes, count } from "./number-format.js";
import { type SegmentCell, segmentCells } from "./segment-cells.js";

const CELL_WIDTH = 22;
const GAP = 3;
const HEIGHT = 34;
const LEAST_CELLS = 6;
const MOST_CELLS = 60;

const LEGEND = ["deleted", "retained", "durable", "written", "ready"] as const;
type LegendName = (typeof LEGEND)[number];

/** The segments of the log from left to right; what their bytes are is told by patterns and by a legend with amounts. */
export class SegmentStrip {
  readonly #strip = svgElement("svg", { class: "strip", role: "img" });
  readonly #values = new Map<LegendName, HTMLElement>();
  readonly #segmentSize: number;
  #shown = "";

  constructor(root: HTMLElement, segmentSize: number) {
    this.#segmentSize = segmentSize;
    const legend = LEGEND.map((name) => {
      const value = element("dd");
      this.#values.set(name, value);
      const swatch = svgElement(
        "svg",
        { class: "swatch", "aria-hidden": "true" },
        svgElement("rect", { class: name, width: "100%", height: "100%" }),
      );
      return element("div", {}, element("dt", {}, swatch, name), value);
    });
    root.replaceChildren(this.#strip, element("dl", { class: "strip-legend" }, ...legend));
  }

  show({ offsets }: Frame): void {
    const size = this.#segmentSize;
    const { min, durable, wrote, ready } = offsets;
    const [first, writing] = [Math.floor(min / size), Math.floor((durable ?? wrote) / size)];
    const texts: Readonly<Record<LegendName, string>> = {
      deleted: segments(first),
      retained: `${segments(Math.max(0, writing - first))} finished, ${bytes(Math.max(0, writing * size - min))}`,
      durable: durable === undefined ? "not known" : `up to ${count(durable)}`,
      written: durable === undefined ? `up to ${count(wrote)}` : `${bytes(Math.max(0, wrote - durable))} not durable`,
      ready: `${bytes(ready - wrote)} ahead`,
    };
    for (const name of LEGEND) setText(this.#values.get(name) as HTMLElement, texts[name]);
    this.#draw(segmentCells(offsets, size, this.#cellsThatFit()), texts);
  }

  #cellsThatFit(): number {
    const fitting = Math.floor((this.#strip.clientWidth + GAP) / (CELL_WIDTH + GAP));
    return Math.max(LEAST_CELLS, Math.min(MOST_CELLS, fitting));
  }

  #draw(cells: readonly SegmentCell[], texts: Readonly<Record<LegendName, string>>): void {
    const shown = JSON.stringify(cells);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const label = LEGEND.map((name) => `${name}: ${texts[name]}`).join("; ");
    this.#strip.replaceChildren(patterns(), ...cells.map((cell, index) => drawn(cell, index * (CELL_WIDTH + GAP))));
    this.#strip.setAttribute("aria-label", label);
  }
}

function segments(number: number): string {
  return number === 1 ? "1 segment" : `${count(number)} segments`;
}

function drawn({ kind, count: number, fromOffset, parts }: SegmentCell, x: number): SVGGElement {
  const group = svgElement("g", { transform: `translate(${x} 0)` });
  const box = { width: String(CELL_WIDTH), height: String(HEIGHT) };
  group.append(
    svgElement(
      "title",
      {},
      kind === "segment" ? `segment at ${count(fromOffset)}` : `${segments(number)}, ${kind === "more" ? "finished" : kind}`,
    ),
  );
  group.append(svgElement("rect", { class: kind === "deleted" ? "deleted" : "empty", ...box }));
  let at = 0;
  for (const { part, share } of parts) {
    const width = share * CELL_WIDTH;
    group.append(svgElement("rect", { class: part, x: String(at), width: String(width), height: String(HEIGHT) }));
    at += width;
  }
  if (kind !== "segment") {
    const text = svgElement(
      "text",
      { x: String(CELL_WIDTH / 2), y: String(HEIGHT / 2), class: kind },
      kind === "more" ? "⋯" : short(number),
    );
    group.append(text);
  }
  return group;
}

function short(number: number): string {
  return number < 1000 ? String(number) : number < 1e6 ? `${Math.floor(number / 1000)}k` : `${Math.floor(number / 1e6)}M`;
}

/** Hatched: written and not durable. Dotted: ready. */
function patterns(): SVGDefsElement {
  const hatch = svgElement(
    "pattern",
    { id: "hatch", width: "5", height: "5", patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svgElement("rect", { width: "2.4", height: "5", class: "hatch" }),
  );
  const dots = svgElement(
    "pattern",
    { id: "dots", width: "5", height: "5", patternUnits: "userSpaceOnUse" },
    svgElement("circle", { cx: "2.5", cy: "2.5", r: "0.9", class: "dot" }),
  );
  return svgElement("defs", {}, hatch, dots);
}
