import { element, setText } from "./element.js";

export interface TableRow {
  readonly key: string;
  readonly cells: readonly string[];
  /** A row that belongs to the one above it. */
  readonly isPart?: boolean;
}

/** A table whose rows are kept by their keys: only what has changed is touched. */
export class KeyedTable {
  readonly root: HTMLElement;
  readonly #body = element("tbody");
  readonly #rows = new Map<string, HTMLTableRowElement>();
  readonly #heads: readonly string[];

  /** @param heads of the columns; all but the first are numbers */
  constructor(caption: string, heads: readonly string[]) {
    this.#heads = heads;
    const head = element("tr", {}, ...heads.map((text, index) => element("th", { scope: "col", class: classOf(index) }, text)));
    this.root = element("table", {}, element("caption", {}, caption), element("thead", {}, head), this.#body);
  }

  show(rows: readonly TableRow[]): void {
    const keys = new Set(rows.map(({ key }) => key));
    for (const [key, row] of this.#rows) {
      if (keys.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    for (const [index, row] of rows.entries()) {
      const node = this.#rows.get(row.key) ?? this.#newRow(row);
      for (const [column, text] of row.cells.entries()) setText(node.cells[column] as HTMLTableCellElement, text);
      if (this.#body.children[index] !== node) this.#body.insertBefore(node, this.#body.children[index] ?? null);
    }
  }

  #newRow({ key, cells, isPart }: TableRow): HTMLTableRowElement {
    const node = element("tr", { class: isPart === true ? "part" : undefined });
    for (const column of cells.keys()) {
      node.append(
        column === 0
          ? element("th", { scope: "row", class: classOf(column) })
          : element("td", { class: classOf(column), "data-head": this.#heads[column] }),
      );
    }
    this.#rows.set(key, node);
    return node;
  }
}

function classOf(column: number): string {
  return column === 0 ? "name" : "number";
}
