/** The page: frames come four times a second, and each is shown. */
import type { Frame } from "../frame.js";
import { element, fill } from "./elements.js";
import { showFrame } from "./panels.js";
import { Plots } from "./plots.js";
import { startSearch } from "./search.js";

startSearch();
const plots = new Plots();
const events = new EventSource("/events");
events.addEventListener("message", ({ data }: MessageEvent<string>) => {
  const frame = JSON.parse(data) as Frame;
  showFrame(frame);
  plots.add(frame);
});
events.addEventListener("trouble", ({ data }) => {
  fill(element("state"), (JSON.parse(String(data)) as { message: string }).message);
});
events.addEventListener("error", () => fill(element("state"), "no connection: the process has ended, or is just starting again"));
