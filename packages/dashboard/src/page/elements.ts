/** What the page is built of. Text goes in as text: nothing that comes from a store is ever read as markup. */

export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no such element: id=${id}`);
  return found;
}

type Child = Node | string;

export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

/** Replaces what is in an element, unless it says the same already: then selection and focus stay. */
export function fill(target: HTMLElement, ...children: readonly Child[]): void {
  const next = make("div", {}, ...children);
  if (next.innerHTML !== target.innerHTML) target.replaceChildren(...next.childNodes);
}

/** A table; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[], empty: string): HTMLElement {
  if (rows.length === 0) return make("p", { class: "empty" }, empty);
  const isNumber = (column: number): boolean => typeof rows[0]?.[column] === "number";
  const headRow = make(
    "tr",
    {},
    ...head.map((title, column) => make("th", { scope: "col", class: isNumber(column) ? "number" : "" }, title)),
  );
  const bodyRows = rows.map((row) =>
    make(
      "tr",
      {},
      ...row.map((cell) => (typeof cell === "number" ? make("td", { class: "number" }, count(cell)) : make("td", {}, cell))),
    ),
  );
  return make("table", {}, make("thead", {}, headRow), make("tbody", {}, ...bodyRows));
}

/** Pairs of a `dl`. */
export function pairs(...entries: readonly (readonly [string, string])[]): HTMLElement[] {
  return entries.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)));
}

const NUMBER = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SMALL = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

export function count(value: number): string {
  return NUMBER.format(value);
}

/** A rate: whole, unless it is small. */
export function rate(value: number): string {
  return value < 10 ? SMALL.format(value) : NUMBER.format(value);
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(value: number): string {
  const power = Math.min(UNITS.length - 1, value > 0 ? Math.floor(Math.log2(value) / 10) : 0);
  return `${SMALL.format(value / 1024 ** Math.max(0, power))} ${UNITS[Math.max(0, power)]}`;
}

export function duration(us: number): string {
  if (us < 1000) return `${SMALL.format(us)} µs`;
  return us < 1e6 ? `${SMALL.format(us / 1000)} ms` : `${SMALL.format(us / 1e6)} s`;
}
