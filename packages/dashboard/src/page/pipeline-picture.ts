import type { OpenFrame } from "../sample/frame.js";
import type { StageName } from "../sample/limit.js";
import { element, setAttribute, setText, svgElement } from "./element.js";
import { FLOWS, routeBetween } from "./flow-routes.js";
import { STAGES, stageFigures } from "./stage-figures.js";

interface StageCard {
  readonly root: HTMLLIElement;
  readonly mark: HTMLElement;
  readonly value: HTMLElement;
  readonly unit: HTMLElement;
  readonly level: SVGRectElement | undefined;
  readonly lines: Map<string, HTMLElement>;
  readonly list: HTMLElement;
}

/** The stages as cards with lines between them; the one that limits is marked by a word, a frame and a colour. */
export class PipelinePicture {
  readonly #cards = new Map<StageName, StageCard>();
  readonly #flows = svgElement("svg", { class: "flows", "aria-hidden": "true" });
  readonly #root: HTMLElement;

  constructor(root: HTMLElement) {
    this.#root = root;
    const list = element("ol", { class: "stages" });
    for (const { name, title, about } of STAGES) {
      const card = newCard(name, title, about);
      this.#cards.set(name, card);
      list.append(card.root);
    }
    root.replaceChildren(this.#flows, list);
    new ResizeObserver(() => this.#drawFlows()).observe(list);
  }

  show({ pipeline, limit }: OpenFrame): void {
    for (const [name, card] of this.#cards) {
      const { value, unit, level, lines } = stageFigures(name, pipeline);
      setText(card.value, value);
      setText(card.unit, unit);
      if (level !== undefined && card.level !== undefined) setAttribute(card.level, "width", `${Math.min(100, 100 * level.fill)}%`);
      for (const [label, text] of lines) setText(lineOf(card, label), text);
      const isLimit = limit.at === name;
      card.root.classList.toggle("limits", isLimit);
      card.mark.hidden = !isLimit;
    }
  }

  #drawFlows(): void {
    const origin = this.#root.getBoundingClientRect();
    const boxOf = (name: StageName) => {
      const { left, top, right, bottom } = (this.#cards.get(name) as StageCard).root.getBoundingClientRect();
      return { left: left - origin.left, top: top - origin.top, right: right - origin.left, bottom: bottom - origin.top };
    };
    setAttribute(this.#flows, "viewBox", `0 0 ${origin.width} ${origin.height}`);
    const head = svgElement("path", { d: "M0 0L7 3.5L0 7z" });
    const marker = svgElement(
      "marker",
      { id: "arrow", viewBox: "0 0 7 7", refX: "7", refY: "3.5", markerWidth: "7", markerHeight: "7", orient: "auto" },
      head,
    );
    const paths = FLOWS.map(([from, to], index) =>
      svgElement("path", { d: routeBetween(boxOf(from), boxOf(to), index % 2), "marker-end": "url(#arrow)" }),
    );
    this.#flows.replaceChildren(svgElement("defs", {}, marker), ...paths);
  }
}

function newCard(name: StageName, title: string, about: string): StageCard {
  const mark = element("strong", { class: "mark", hidden: true }, "▲ limits");
  const value = element("span", { class: "value" });
  const unit = element("span", { class: "unit" });
  const hasLevel = name === "ring" || name === "force";
  const level = hasLevel ? svgElement("rect", { height: "100%", width: "0" }) : undefined;
  const list = element("dl");
  const root = element(
    "li",
    { class: `stage ${name}`, "data-stage": name },
    element("div", { class: "stage-head" }, element("h3", { title: about }, title), mark),
    element("p", { class: "headline" }, value, " ", unit),
    level === undefined ? "" : svgElement("svg", { class: "level", "aria-hidden": "true" }, level),
    list,
  );
  return { root, mark, value, unit, level, lines: new Map(), list };
}

function lineOf({ lines, list }: StageCard, label: string): HTMLElement {
  const known = lines.get(label);
  if (known !== undefined) return known;
  const value = element("dd");
  lines.set(label, value);
  list.append(element("div", {}, element("dt", {}, label), value));
  return value;
}
