import type { DecodedRecord } from "../search/found-message.js";
import { element } from "./element.js";
import { hexRows } from "./hex-rows.js";
import { bytes, count } from "./number-format.js";

const WIDE_COLUMNS = 16;
const NARROW_COLUMNS = 8;
const WIDE = 560;

/** A record as fields and as bytes, side by side: the field that is pointed at, or has the focus, is marked in both. */
export function recordView({ message, fields, bytes: encoded }: DecodedRecord, width: number): HTMLElement {
  const shown = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  const parts: HTMLElement[][] = fields.map(() => []);
  const dump = element("div", { class: "hex", role: "group", "aria-label": "bytes of the record" });
  const ends = fields.map(({ end }) => end);
  for (const { position, chunks } of hexRows(shown, ends, width < WIDE ? NARROW_COLUMNS : WIDE_COLUMNS)) {
    const spanOf = (field: number, text: string): HTMLElement => {
      const span = element("span", {}, text);
      parts[field]?.push(span);
      return span;
    };
    const hex = chunks.flatMap(({ field, hex: text }) => [spanOf(field, text), " "]);
    const text = chunks.map(({ field, text: characters }) => spanOf(field, characters));
    const place = element("span", { class: "position" }, position.toString(16).padStart(4, "0"));
    dump.append(
      element(
        "div",
        { class: "hex-row" },
        place,
        element("span", { class: "hex-bytes" }, ...hex),
        element("span", { class: "hex-text" }, ...text),
      ),
    );
  }
  const rows = fields.map(({ name, start, end, value }, index) => {
    const row = element(
      "tr",
      { tabindex: "0" },
      element("th", { scope: "row" }, name, element("span", { class: "range" }, ` ${start}–${end}`)),
      element("td", {}, value),
    );
    markTogether(row, parts[index] ?? []);
    return row;
  });
  const left = message.size - shown.length;
  const title = `Record at ${count(message.physicalOffset)}, ${bytes(message.size)}`;
  return element(
    "div",
    { class: "record" },
    element("h3", { tabindex: "-1" }, title),
    element("div", { class: "record-parts" }, element("table", { class: "fields" }, element("tbody", {}, ...rows)), dump),
    element("p", { class: "note" }, left > 0 ? `${bytes(left)} more are in the log; millrace cat shows them.` : ""),
  );
}

function markTogether(row: HTMLElement, parts: readonly HTMLElement[]): void {
  const mark = (isMarked: boolean) => () => {
    for (const node of [row, ...parts]) node.classList.toggle("marked", isMarked);
  };
  for (const node of [row, ...parts]) {
    node.addEventListener("pointerenter", mark(true));
    node.addEventListener("pointerleave", mark(false));
  }
  row.addEventListener("focus", mark(true));
  row.addEventListener("blur", mark(false));
}
