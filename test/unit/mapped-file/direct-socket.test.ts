import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { DirectSocket } from "@millrace/mapped-file";
import test, { type ExecutionContext } from "ava";

/** More than the buffers of two sockets. */
const MUCH = 32 * 2 ** 20;
const SOON_MS = 30_000;

async function socketPair(t: ExecutionContext): Promise<[here: Socket, there: Socket]> {
  const server = createServer();
  t.teardown(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection");
  const here = connect((server.address() as { port: number }).port, "127.0.0.1");
  const [there] = (await Promise.all([accepted, once(here, "connect")]))[0] as [Socket];
  for (const socket of [here, there]) t.teardown(() => socket.destroy());
  return [here, there];
}

test("bytes that a socket does not take at once go through the stream, in order, and nothing passes them", async (t) => {
  const [here, there] = await socketPair(t);
  const direct = new DirectSocket(here);
  const bytes = Buffer.from(Uint32Array.from({ length: MUCH / 4 }, (_, index) => index).buffer);
  const taken = direct.write(bytes);
  t.true(taken > 0 && taken < MUCH, `taken=${taken}`);
  here.write(bytes.subarray(taken));
  t.is(direct.write(Buffer.from("late")), 0, "what waits in the stream goes first");
  here.end("late");
  const received: Buffer[] = [];
  for await (const chunk of there) received.push(chunk as Buffer);
  t.true(Buffer.concat(received).equals(Buffer.concat([bytes, Buffer.from("late")])));
});

test("the first socket that can be read is found, and read without its stream", async (t) => {
  const [one, oneThere] = await socketPair(t);
  const [two, twoThere] = await socketPair(t);
  const sockets = [new DirectSocket(one), new DirectSocket(two)];
  const target = new Uint8Array(16);
  t.is(DirectSocket.firstReadable(sockets, 0), -1);
  t.is(sockets[1]?.read(target), 0);
  new DirectSocket(twoThere).write(Buffer.from("second"));
  t.is(DirectSocket.firstReadable(sockets, SOON_MS), 1);
  t.is(sockets[1]?.read(target), 6);
  t.is(Buffer.from(target.subarray(0, 6)).toString(), "second");
  new DirectSocket(oneThere).write(Buffer.from("first"));
  t.is(DirectSocket.firstReadable(sockets, SOON_MS), 0);
  t.is(sockets[0]?.read(target), 5);
});

test("an end is the stream's to say, also when a read has found it first", async (t) => {
  const [here, there] = await socketPair(t);
  const direct = new DirectSocket(here);
  const ended = once(here.resume(), "end");
  there.destroy();
  t.is(DirectSocket.firstReadable([direct], SOON_MS), 0);
  t.is(direct.read(new Uint8Array(16)), 0);
  await ended;
  t.pass();
});

test("a reset that a read finds is the connection's error; a closed one is neither read, written nor waited for", async (t) => {
  const [here, there] = await socketPair(t);
  const direct = new DirectSocket(here);
  const failed = once(here, "error");
  there.resetAndDestroy();
  t.is(DirectSocket.firstReadable([direct], SOON_MS), 0);
  t.is(direct.read(new Uint8Array(16)), 0);
  const [error] = (await failed) as [NodeJS.ErrnoException];
  t.is(error.code, "ECONNRESET");
  await setImmediate();
  t.is(direct.read(new Uint8Array(16)), 0);
  t.is(direct.write(new Uint8Array(16)), 0);
  t.is(DirectSocket.firstReadable([direct], SOON_MS), -1);
});
