import type { Frame, Hello, Silence, StoreState } from "../sample/frame.js";
import { byId, element, setText } from "./element.js";
import { FrameHistory } from "./frame-history.js";
import type { LiveListener } from "./live-stream.js";
import { PipelinePicture } from "./pipeline-picture.js";
import { Plots } from "./plots.js";
import { QueueTables } from "./queue-tables.js";
import { SearchPanel } from "./search-panel.js";
import { SegmentStrip } from "./segment-strip.js";
import { StoreFacts } from "./store-facts.js";

/** The parts of the page, which show what comes. */
export class StorePage implements LiveListener {
  readonly #history = new FrameHistory();
  readonly #tables = new QueueTables(byId("queues"));
  readonly #facts = new StoreFacts(byId("facts"));
  readonly #search: SearchPanel;
  readonly #onRefused: () => void;
  #picture: PipelinePicture | undefined;
  #plots: Plots | undefined;
  #strip: SegmentStrip | undefined;
  #hello = "";
  #limitRow = "";
  #attention = "";

  constructor(token: string, onRefused: () => void) {
    this.#search = new SearchPanel(byId("search"), token);
    this.#onRefused = onRefused;
  }

  /** Also after the stream was lost: what there is goes on, unless another store is served now. */
  hello(hello: Hello): void {
    const { kind, directory, flushDiskType, segmentSize } = hello;
    const said = JSON.stringify(hello);
    if (this.#hello !== "" && this.#hello !== said) return location.reload();
    this.#hello = said;
    byId("store").hidden = false;
    document.body.dataset.kind = kind;
    document.title = `${directory.split("/").at(-1)} – Millrace`;
    setText(byId("directory"), kind === "open" ? `${directory}, ${flushDiskType}` : `${directory}, read beside its writer`);
    if (kind === "open") this.#picture ??= new PipelinePicture(byId("pipeline"));
    else setText(byId("limit"), "Only the process that writes a store knows its stages: there it is served by serveDashboard.");
    this.#plots ??= new Plots(byId("plots"), kind);
    this.#strip ??= new SegmentStrip(byId("segments"), segmentSize);
  }

  frame(frame: Frame): void {
    this.#history.add(frame);
    setText(byId("connection"), frame.kind === "open" ? `${frame.state}, live` : "live");
    document.body.classList.remove("lost");
    if (document.hidden) return;
    if (frame.kind === "open") {
      this.#picture?.show(frame);
      setText(byId("limit"), frame.limit.reason);
      if (frame.limit.row !== this.#limitRow) setText(byId("announcement"), frame.limit.reason);
      this.#limitRow = frame.limit.row;
    }
    this.#plots?.show(this.#history);
    this.#strip?.show(frame);
  }

  state(state: StoreState): void {
    this.#showAttention(state);
    this.#search.showTopics(state.topics);
    if (document.hidden) return;
    this.#tables.show(state);
    this.#facts.show(state);
  }

  silent({ reason }: Silence): void {
    document.body.classList.add("lost");
    setText(byId("connection"), `nothing new: ${reason}`);
  }

  lost(reason: string): void {
    document.body.classList.add("lost");
    setText(byId("connection"), `not connected, trying again: ${reason}`);
  }

  refused(): void {
    this.#onRefused();
  }

  #showAttention({ attention }: StoreState): void {
    const shown = JSON.stringify(attention);
    if (shown === this.#attention) return;
    this.#attention = shown;
    const notices = attention.map(({ title, reason, remedy }) =>
      element(
        "div",
        { class: "notice" },
        element("h2", {}, `▲ ${title}`),
        element("p", {}, reason),
        element("p", {}, element("strong", {}, "What to do: "), remedy),
      ),
    );
    byId("attention").replaceChildren(...notices);
  }
}
