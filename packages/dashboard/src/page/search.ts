import { element, fill, make } from "./elements.js";

/** As the server answers. */
interface SearchAnswer {
  readonly messages: readonly {
    readonly fields: Readonly<Record<string, string>>;
    readonly properties: Readonly<Record<string, string>>;
    readonly bodyText?: string;
    readonly bodyHex: string;
    readonly bodyLength: number;
  }[];
  readonly error?: string;
}

const HEX_COLUMNS = 16;

/** The form: a message by key, by id, by queue offset, decoded, its fields beside its bytes. */
export function startSearch(): void {
  const form = element("search") as HTMLFormElement;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) query.set(name, String(value));
    void search(query);
  });
}

async function search(query: URLSearchParams): Promise<void> {
  const target = element("found");
  try {
    const response = await fetch(`/messages?${query}`);
    if (!response.ok) throw new Error(await response.text());
    const { messages, error } = (await response.json()) as SearchAnswer;
    fill(target, ...(error === undefined ? [] : [make("p", {}, error)]), ...messages.map(messageCard));
  } catch (error) {
    fill(target, make("p", {}, error instanceof Error ? error.message : String(error)));
  }
}

function messageCard({ fields, properties, bodyText, bodyHex, bodyLength }: SearchAnswer["messages"][number]): HTMLElement {
  const rows = [
    ...Object.entries(fields),
    ...Object.entries(properties).map(([name, value]) => [`property ${name}`, value] as const),
  ];
  const body = make(
    "tbody",
    {},
    ...rows.map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value))),
  );
  const more = bodyHex.length / 2 < bodyLength ? `, the first ${bodyHex.length / 2} shown` : "";
  const text = bodyText === undefined ? [] : [make("p", { class: "about" }, "as text"), make("pre", {}, bodyText)];
  return make(
    "article",
    { class: "message" },
    make("div", {}, make("table", {}, body)),
    make("div", {}, make("p", { class: "about" }, `body, ${bodyLength} bytes${more}`), make("pre", {}, hexText(bodyHex)), ...text),
  );
}

function hexText(hex: string): string {
  const bytes = (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += HEX_COLUMNS) {
    const row = bytes.slice(at, at + HEX_COLUMNS);
    const shown = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    const digits = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${digits.padEnd(3 * HEX_COLUMNS - 1)}  ${shown}`);
  }
  return lines.join("\n");
}
