import type { Frame, Hello, Silence, StoreState } from "../sample/frame.js";
import { authorized } from "./access-token.js";

const RETRY_MS = 1000;
/** The server says something at least every two seconds: after this long it hangs, or is out of reach. */
const SILENT_MS = 10_000;

export interface LiveListener {
  hello(hello: Hello): void;
  frame(frame: Frame): void;
  state(state: StoreState): void;
  /** The server has no frames at the moment, and says why. */
  silent(silence: Silence): void;
  /** The stream has ended, and is tried again. */
  lost(reason: string): void;
  /** The token is wrong: it is not tried again. */
  refused(): void;
}

/**
 * Server-sent events, read by `fetch`: an EventSource cannot send the token in a header. Ends when the token is refused.
 *
 * @param silentMs after which a stream that says nothing is given up
 */
export async function watch(token: string, listener: LiveListener, silentMs = SILENT_MS): Promise<void> {
  for (;;) {
    const silence = new AbortController();
    const giveUp = (): void => silence.abort(new Error(`nothing has come for ${silentMs / 1000} s`));
    let timer = setTimeout(giveUp, silentMs);
    const heard = (): void => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, silentMs);
    };
    try {
      const response = await fetch("events", { ...authorized(token), signal: silence.signal });
      if (response.status === 401) return listener.refused();
      if (!response.ok || response.body === null) throw new Error(await response.text());
      for await (const { name, data } of eventsOf(response.body, heard)) hand(listener, name, data);
      listener.lost("the server has ended the stream");
    } catch (error) {
      listener.lost(error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(timer);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function hand(listener: LiveListener, name: string, data: string): void {
  const value: unknown = JSON.parse(data);
  if (name === "hello") listener.hello(value as Hello);
  else if (name === "frame") listener.frame(value as Frame);
  else if (name === "state") listener.state(value as StoreState);
  else if (name === "silent") listener.silent(value as Silence);
}

async function* eventsOf(
  body: ReadableStream<Uint8Array>,
  heard: () => void,
): AsyncGenerator<{ readonly name: string; readonly data: string }> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  try {
    let text = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      heard();
      const blocks = (text + part.value).split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
        if (name !== undefined && data !== undefined) yield { name, data }; // a comment only says that the server lives
      }
    }
  } finally {
    // Also of a page that could not show what came: the server, and the browser, have only so many streams.
    await reader.cancel().catch(() => {});
  }
}
