import { EventEmitter } from "node:events";
import test from "ava";
import { CLIENTS_MOST, EventStreams, type StreamResponse } from "#dashboard/http/event-streams.js";

/** A client of which the test says whether it reads. */
class FakeResponse extends EventEmitter {
  reads = true;
  writableLength = 0;
  isDestroyed = false;
  isEnded = false;
  received: string[] = [];

  write(chunk: Buffer): boolean {
    for (const [, name = "", data = ""] of chunk.toString().matchAll(/event: (\w+)\ndata: (.*)\n\n/g))
      this.received.push(`${name} ${data}`);
    if (!this.reads) this.writableLength += chunk.length;
    return this.reads;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    this.isDestroyed = true;
    this.emit("close");
  }
}

function watched(): { streams: EventStreams; client: FakeResponse } {
  const streams = new EventStreams("h");
  const client = new FakeResponse();
  streams.add(client as unknown as StreamResponse);
  return { streams, client };
}

test("a client that reads gets everything, and one that comes later the last state at once", (t) => {
  const { streams, client } = watched();
  streams.frame(1);
  streams.state("s");
  streams.frame(2);
  t.deepEqual(client.received, ['hello "h"', "frame 1", 'state "s"', "frame 2"]);
  const late = new FakeResponse();
  streams.add(late as unknown as StreamResponse);
  t.deepEqual(late.received, ['hello "h"', 'state "s"']);
});

test("a slow client is dropped frames, holds one frame and one state at most, and gets the last state when it reads again", (t) => {
  const { streams, client } = watched();
  streams.state("x".repeat(5000));
  client.reads = false;
  for (let n = 0; n < 100; n++) {
    streams.frame(n);
    if (n % 4 === 0) streams.state(`${n}`);
  }
  t.true(client.writableLength < 200, `bytes=${client.writableLength}`);
  t.false(client.isDestroyed);
  client.reads = true;
  client.writableLength = 0;
  client.received = [];
  streams.frame(100);
  streams.frame(101);
  t.deepEqual(client.received, ['state "96"', "frame 101"]);
});

test("a client that reads nothing for half a minute is let go, others are not disturbed", (t) => {
  const { streams, client } = watched();
  const other = new FakeResponse();
  streams.add(other as unknown as StreamResponse);
  client.reads = false;
  for (let n = 0; n < 4 * 31; n++) streams.frame(n);
  t.true(client.isDestroyed);
  t.is(streams.size, 1);
  t.is(other.received.length, 1 + 4 * 31);
});

test("there are only so many clients, and all end with the streams", (t) => {
  const { streams, client } = watched();
  for (let n = 1; n < CLIENTS_MOST; n++) t.true(streams.add(new FakeResponse() as unknown as StreamResponse));
  t.false(streams.add(new FakeResponse() as unknown as StreamResponse));
  client.emit("close");
  t.is(streams.size, CLIENTS_MOST - 1);
  const last = new FakeResponse();
  streams.add(last as unknown as StreamResponse);
  streams.close();
  t.true(last.isEnded);
  t.is(streams.size, 0);
});

test("where there is nothing to say for seconds a sign of life goes out, to those who read", (t) => {
  const { streams, client } = watched();
  const idle = new FakeResponse();
  streams.add(idle as unknown as StreamResponse);
  idle.reads = false;
  streams.frame(0);
  const held = idle.writableLength;
  let written = 0;
  client.write = () => ++written > 0;
  for (let round = 0; round < 40; round++) streams.beat();
  t.true(written >= 4, `written=${written}`);
  t.is(idle.writableLength, held);
  written = 0;
  for (let round = 0; round < 40; round++) {
    streams.frame(round);
    streams.beat();
  }
  t.is(written, 40, "frames are a sign of life themselves");
});
