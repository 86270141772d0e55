import type { Frame, Hello, StoreState } from "../sample/frame.js";
import { authorized } from "./access-token.js";

const RETRY_MS = 1000;

export interface LiveListener {
  hello(hello: Hello): void;
  frame(frame: Frame): void;
  state(state: StoreState): void;
  /** The stream has ended, and is tried again. */
  lost(reason: string): void;
  /** The token is wrong: it is not tried again. */
  refused(): void;
}

/** Server-sent events, read by `fetch`: an EventSource cannot send the token in a header. Ends when the token is refused. */
export async function watch(token: string, listener: LiveListener): Promise<void> {
  for (;;) {
    try {
      const response = await fetch("events", authorized(token));
      if (response.status === 401) return listener.refused();
      if (!response.ok || response.body === null) throw new Error(await response.text());
      for await (const { name, data } of eventsOf(response.body)) hand(listener, name, data);
      listener.lost("the server has ended the stream");
    } catch (error) {
      listener.lost(error instanceof Error ? error.message : String(error));
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function hand(listener: LiveListener, name: string, data: string): void {
  const value: unknown = JSON.parse(data);
  if (name === "hello") listener.hello(value as Hello);
  else if (name === "frame") listener.frame(value as Frame);
  else if (name === "state") listener.state(value as StoreState);
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<{ name: string; data: string }> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const blocks = (text + part.value).split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const [, name = "", data = ""] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      yield { name, data };
    }
  }
}
