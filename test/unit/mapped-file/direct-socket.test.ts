import { once } from "node:events";
import { constants } from "node:os";
import { setImmediate } from "node:timers/promises";
import { DirectSocket } from "@millrace/mapped-file";
import mmap from "@millrace/mmap-io";
import test from "ava";
import { socketPair } from "../../support/socket-pair.js";

/** More than the buffers of two sockets. */
const MUCH = 32 * 2 ** 20;
const SOON_MS = 30_000;

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

test("a duplicate is the connection's own until it is closed, also when the runtime has closed the other descriptor", async (t) => {
  const [here, there] = await socketPair(t);
  const descriptor = new DirectSocket(here).duplicate();
  t.true(descriptor >= 0);
  here.destroy();
  await once(here, "close");
  const [other] = await socketPair(t); // gets the number that is free again, or another
  t.is(DirectSocket.send(descriptor, Buffer.from("mine")), 4);
  const [chunk] = (await once(there, "data")) as [Buffer];
  t.is(chunk.toString(), "mine");
  const ended = once(there, "end");
  DirectSocket.closeDescriptor(descriptor);
  await ended;
  t.is(new DirectSocket(here).duplicate(), -1, "a closed one has none");
  t.is(other.bytesRead, 0);
});

test("a reset that a write finds is the connection's error", async (t) => {
  const [here, there] = await socketPair(t);
  const failed = once(here, "error");
  there.resetAndDestroy();
  t.is(new DirectSocket(here).write(new Uint8Array(16)), 0);
  const [error] = (await failed) as [NodeJS.ErrnoException];
  t.like(error, { message: "send ECONNRESET", code: "ECONNRESET", errno: -constants.errno.ECONNRESET, syscall: "send" });
});

test("a descriptor whose other end is gone takes nothing, and says why", async (t) => {
  const [here, there] = await socketPair(t);
  const descriptor = new DirectSocket(here).duplicate();
  const failed = once(here, "error");
  there.resetAndDestroy();
  await failed;
  t.is(DirectSocket.send(descriptor, Buffer.from("late")), -constants.errno.EPIPE);
  DirectSocket.closeDescriptor(descriptor);
});

test.serial("a system that is short of memory says nothing against a connection", (t) => {
  const { send } = mmap;
  t.teardown(() => Object.assign(mmap, { send }));
  for (const [errno, sent] of [
    [-constants.errno.ENOBUFS, 0],
    [-constants.errno.ENOMEM, 0],
    [-constants.errno.EHOSTUNREACH, -constants.errno.EHOSTUNREACH],
  ] as const) {
    Object.assign(mmap, {
      send() {
        throw Object.assign(new Error("as the binding says what it has no name for"), { code: "UNKNOWN", errno });
      },
    });
    t.is(DirectSocket.send(0, new Uint8Array(1)), sent);
  }
  t.is(DirectSocket.failureOf(-constants.errno.EHOSTUNREACH).code, "EHOSTUNREACH");
});
