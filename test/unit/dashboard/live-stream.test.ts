import test from "ava";
import { type LiveListener, watch } from "#dashboard/page/live-stream.js";

/** A server whose streams say, one after another, what is given, and then nothing more; after the last one the token is refused. */
function serve(...streams: readonly string[][]): { cancelled: () => number } {
  let [served, cancelled] = [0, 0];
  globalThis.fetch = async (_url, init) => {
    const said = streams[served++];
    if (said === undefined) return new Response("", { status: 401 });
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const text of said) controller.enqueue(new TextEncoder().encode(text));
        init?.signal?.addEventListener("abort", () => controller.error(init.signal?.reason));
      },
      cancel() {
        cancelled++;
      },
    });
    return new Response(body);
  };
  return { cancelled: () => cancelled };
}

/** What a page hears until its token is refused. */
async function heard(listener: Partial<LiveListener> = {}): Promise<string[]> {
  const events: string[] = [];
  const note =
    (name: string) =>
    (value?: unknown): void =>
      void events.push(value === undefined ? name : `${name} ${JSON.stringify(value)}`);
  const all = {
    hello: note("hello"),
    frame: note("frame"),
    state: note("state"),
    silent: note("silent"),
    lost: note("lost"),
    refused: note("refused"),
  };
  await watch("token", { ...all, ...listener }, 500);
  return events;
}

test.serial("events come whole, however the bytes were cut, and a sign of life is none", async (t) => {
  serve(['event: hello\ndata: "h"\n\nevent: fr', "ame\ndata: 1\n", "\n:\n\nevent: silent\ndata: {}\n\n"]);
  t.deepEqual((await heard()).slice(0, 3), ['hello "h"', "frame 1", "silent {}"]);
});

test.serial("a server that says nothing any more, not even that it lives, is lost", async (t) => {
  serve(["event: frame\ndata: 1\n\n"]);
  t.deepEqual(await heard(), ["frame 1", 'lost "nothing has come for 0.5 s"', "refused"]);
});

test.serial("a page that cannot show what came lets go of the stream before it asks for another", async (t) => {
  const { cancelled } = serve(["event: frame\ndata: 1\n\n"]);
  const events = await heard({
    frame: () => {
      throw new Error("cannot be shown");
    },
  });
  t.deepEqual(events, ['lost "cannot be shown"', "refused"]);
  t.is(cancelled(), 1);
});
