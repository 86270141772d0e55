import type { FoundMessage, SearchAnswer } from "../search/found-message.js";
import { authorized } from "./access-token.js";
import { element, setText } from "./element.js";
import { bytes, count, moment, NOTHING } from "./number-format.js";
import { recordView } from "./record-view.js";

type FieldName = "topic" | "key" | "id" | "queueId" | "offset";

const LABELS: Readonly<Record<FieldName, string>> = {
  topic: "Topic",
  key: "Key",
  id: "Message id",
  queueId: "Queue",
  offset: "Offset",
};
/** What a search asks for, by what it is by. */
const SEARCHES: readonly (readonly [by: string, label: string, fields: readonly FieldName[]])[] = [
  ["key", "by key", ["topic", "key"]],
  ["id", "by message id", ["id"]],
  ["queueOffset", "by queue offset", ["topic", "queueId", "offset"]],
  ["physicalOffset", "by physical offset", ["offset"]],
];

/** Finds messages, and shows one as fields and bytes. */
export class SearchPanel {
  readonly #token: string;
  readonly #by = element("select", { id: "by" }, ...SEARCHES.map(([by, label]) => element("option", { value: by }, label)));
  readonly #inputs = new Map<FieldName, HTMLInputElement>();
  readonly #places = new Map<FieldName, HTMLElement>();
  readonly #topics = element("datalist", { id: "topics" });
  readonly #said = element("p", { role: "status", class: "note" });
  readonly #found = element("div", { class: "found" });
  readonly #record = element("div");

  constructor(root: HTMLElement, token: string) {
    this.#token = token;
    const form = element("form", { class: "search-form" }, element("div", {}, element("label", { for: "by" }, "Search"), this.#by));
    for (const [name, label] of Object.entries(LABELS) as [FieldName, string][]) {
      const isNumber = name === "queueId" || name === "offset";
      const list = name === "topic" ? "topics" : undefined;
      const input = element("input", {
        id: name,
        list,
        inputmode: isNumber ? "numeric" : undefined,
        autocomplete: "off",
        spellcheck: "false",
      });
      const place = element("div", { class: `input-${name}` }, element("label", { for: name }, label), input);
      this.#inputs.set(name, input);
      this.#places.set(name, place);
      form.append(place);
    }
    form.append(element("button", {}, "Find"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#search();
    });
    this.#by.addEventListener("change", () => this.#showFields());
    this.#showFields();
    root.replaceChildren(form, this.#topics, this.#said, this.#found, this.#record);
  }

  showTopics(topics: readonly string[]): void {
    if (this.#topics.children.length === topics.length) return;
    this.#topics.replaceChildren(...topics.map((topic) => element("option", { value: topic })));
    const input = this.#inputs.get("topic");
    if (input !== undefined && input.value === "" && topics.length === 1) input.value = topics[0] ?? "";
  }

  #fields(): readonly FieldName[] {
    return SEARCHES.find(([by]) => by === this.#by.value)?.[2] ?? [];
  }

  #showFields(): void {
    const wanted = this.#fields();
    for (const [name, place] of this.#places) {
      place.hidden = !wanted.includes(name);
      const input = this.#inputs.get(name) as HTMLInputElement;
      input.required = wanted.includes(name);
    }
  }

  async #search(): Promise<void> {
    const request = new URLSearchParams({ by: this.#by.value });
    for (const name of this.#fields()) request.set(name, this.#inputs.get(name)?.value ?? "");
    this.#found.replaceChildren();
    this.#record.replaceChildren();
    const { messages = [], more, error } = await this.#ask(`search?${request}`);
    if (error !== undefined) return this.#say(`${error.message}. ${error.remedy ?? ""}`);
    this.#say(
      messages.length === 0
        ? "No message was found."
        : `${count(messages.length)} found${more === true ? ", and there are older ones" : ""}.`,
    );
    const [only] = messages;
    if (only === undefined) return;
    if (messages.length === 1) return this.#open(only);
    this.#found.replaceChildren(element("ul", {}, ...messages.map((message) => element("li", {}, this.#opener(message)))));
  }

  #opener(message: FoundMessage): HTMLButtonElement {
    const { topic, queueId, queueOffset, keys, tags, size, storeTimestamp } = message;
    const button = element(
      "button",
      { type: "button", class: "opener" },
      element("span", {}, moment(storeTimestamp)),
      element("span", {}, `${topic}, ${queueId}: ${count(queueOffset)}`),
      element("span", {}, keys.join(" ") || NOTHING),
      element("span", {}, tags ?? NOTHING),
      element("span", {}, bytes(size)),
    );
    button.addEventListener("click", () => void this.#open(message));
    return button;
  }

  async #open({ physicalOffset }: FoundMessage): Promise<void> {
    const { record, error } = await this.#ask(`record?offset=${physicalOffset}`);
    if (record === undefined) return this.#say(error?.message ?? "The record is gone: its segment was deleted.");
    const view = recordView(record, this.#record.clientWidth);
    this.#record.replaceChildren(view);
    view.querySelector("h3")?.focus();
  }

  async #ask(path: string): Promise<SearchAnswer> {
    try {
      const response = await fetch(path, authorized(this.#token));
      if (response.ok) return (await response.json()) as SearchAnswer;
      return { error: { code: "", message: (await response.text()).trim(), remedy: undefined } };
    } catch (error) {
      return { error: { code: "", message: String(error), remedy: undefined } };
    }
  }

  #say(text: string): void {
    setText(this.#said, text);
  }
}
