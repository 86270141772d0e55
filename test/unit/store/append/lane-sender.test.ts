import { once } from "node:events";
import type { Socket } from "node:net";
import { constants } from "node:os";
import { DirectSocket } from "@millrace/mapped-file";
import { ControlBlock, type SendLane } from "@millrace/shared-memory";
import test from "ava";
import { LaneSender } from "#store/append/lane-sender.js";
import { resolveConfig } from "#store/config/message-store-config.js";
import { laneGroup } from "../../../support/lane-log.js";
import { socketPair } from "../../../support/socket-pair.js";

/** As replicate does, by this thread. */
function openLane({ buffer }: ControlBlock<"append">, socket: Socket, offset: number): SendLane {
  const { sendLane, counters } = ControlBlock.attach(buffer, "replicate");
  counters.laneBeganOffset.set(offset);
  sendLane.descriptor = new DirectSocket(socket).duplicate();
  sendLane.open();
  return sendLane;
}

test("only what follows on what the slave has been sent goes out on the lane", async (t) => {
  const [here, there] = await socketPair(t);
  const block = ControlBlock.attach(ControlBlock.create({}), "append");
  const { sendLane, counters } = block;
  const sender = new LaneSender(resolveConfig({}), block);
  t.false(sender.send(laneGroup(100, 10), 100), "it is closed");
  const { descriptor } = openLane(block, here, 100);
  t.false(sender.send(laneGroup(99, 10), 99));
  t.false(sender.send(laneGroup(110, 10), 110), "ten bytes between are replicate's to send");
  t.is(counters.laneOffset.get(), 0);
  t.true(sender.send(laneGroup(100, 10), 100));
  t.is(counters.laneOffset.get(), 110);
  t.false(sender.send(laneGroup(100, 10), 100), "once");
  t.true(sender.send(laneGroup(110, 5), 110));
  t.is(sendLane.close(), undefined);
  DirectSocket.closeDescriptor(descriptor);
  here.end();
  let received = 0;
  there.on("data", (chunk: Buffer) => {
    received += chunk.length;
  });
  await once(there, "end");
  t.is(received, 2 * 12 + 15);
});

test("what cannot be sent any more is stuck, whole", async (t) => {
  const [here, there] = await socketPair(t);
  const block = ControlBlock.attach(ControlBlock.create({}), "append");
  const sender = new LaneSender(resolveConfig({ haTransferBatchSize: 1000 }), block);
  const { descriptor } = openLane(block, here, 0);
  const failed = once(here, "error");
  there.resetAndDestroy();
  await failed;
  t.false(sender.send(laneGroup(0, 2500), 0));
  t.is(block.counters.laneOffset.get(), 1000, "the frames after it are not begun");
  t.deepEqual(block.sendLane.close(), { bodyLength: 1000, unsent: 1012, errno: -constants.errno.EPIPE });
  DirectSocket.closeDescriptor(descriptor);
});

test("a lane is given back whatever happens: who closes it would wait for ever", async (t) => {
  const [here] = await socketPair(t);
  const block = ControlBlock.attach(ControlBlock.create({}), "append");
  const sender = new LaneSender(resolveConfig({}), block);
  const lane = openLane(block, here, 0);
  const group = {
    get transfer(): Uint8Array {
      throw new Error("no bytes");
    },
  };
  t.throws(() => sender.send(group, 0), { message: "no bytes" });
  t.true(lane.abandon());
  DirectSocket.closeDescriptor(lane.descriptor);
});
