import { once } from "node:events";
import type { Socket } from "node:net";
import { ControlBlock, monotonicMs } from "@millrace/shared-memory";
import type { MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { LaneSender } from "#store/append/lane-sender.js";
import { type LaneConnection, laneConnection } from "../../../support/lane-connection.js";
import { laneGroup, wrongBytes } from "../../../support/lane-log.js";
import { RawSlave } from "../../../support/raw-slave.js";
import { socketPair } from "../../../support/socket-pair.js";
import { until } from "../../../support/until.js";

interface Lane extends LaneConnection {
  readonly slave: RawSlave;
  /** The master's end. */
  readonly socket: Socket;
  /** What the appender does with a group: true if it has sent it itself, else the connection is told to send. */
  append(length: number): boolean;
  readonly end: () => number;
}

/** A slave that has all there is, with an open lane to it. */
async function openLane(t: ExecutionContext, options: MessageStoreOptions = {}): Promise<Lane> {
  const [master, socket] = await socketPair(t);
  const slave = RawSlave.on(socket);
  const buffer = ControlBlock.create({});
  const made = laneConnection(master, buffer, options);
  const { connection } = made;
  const append = ControlBlock.attach(buffer, "append");
  const { wroteOffset, sendRequestedOffset } = append.counters;
  const sender = new LaneSender(made.config, append);
  const lane: Lane = {
    ...made,
    slave,
    socket: master,
    end: () => wroteOffset.value,
    append(length) {
      const offset = wroteOffset.value;
      wroteOffset.set(offset + length);
      const isSent = sender.send(laneGroup(offset, length), offset);
      sendRequestedOffset.set(wroteOffset.value);
      return isSent;
    },
  };
  slave.report(0);
  await until(() => connection.hasJoined);
  // Until one has been acknowledged so soon that the slave counts as quick.
  await until(async () => {
    lane.append(1);
    connection.send();
    await until(() => connection.reported === wroteOffset.value);
    return connection.openLane();
  });
  return lane;
}

test("the appender sends to a slave, in frames that are no longer than others, and what it has sent may be acknowledged", async (t) => {
  const lane = await openLane(t, { haTransferBatchSize: 1024 });
  const { connection, slave } = lane;
  const before = slave.frames.length;
  for (const length of [1, 1024, 1025, 5000, 12, 11]) {
    t.true(lane.append(length));
    await until(() => connection.acknowledged === lane.end());
  }
  t.is(wrongBytes(slave.log, 0), 0);
  t.deepEqual(slave.frames.slice(before), [1, 1024, 1024, 1, 1024, 1024, 1024, 1024, 904, 12, 11]);
  t.is(connection.stats.sentOffset, lane.end());
  t.is(lane.sentBytes(), lane.end());
  t.true(connection.isOnLane);
});

test("what the appender has not sent itself the connection sends, and the lane is open for what comes after it", async (t) => {
  const lane = await openLane(t);
  const { connection, slave } = lane;
  t.true(lane.append(100));
  connection.closeLane();
  t.false(lane.append(200));
  connection.send();
  await until(() => slave.end === lane.end());
  t.is(wrongBytes(slave.log, 0), 0);
  await until(() => connection.acknowledged === lane.end());
  await until(async () => {
    if (connection.openLane()) return true;
    lane.append(1);
    connection.send();
    await until(() => connection.reported === lane.end());
    return false;
  });
  t.true(lane.append(300));
  await until(() => slave.end === lane.end());
  t.is(wrongBytes(slave.log, 0), 0);
});

test("a lane is not opened to a slave that lacks what was written before, nor used for what does not follow", async (t) => {
  const lane = await openLane(t);
  const { connection, slave } = lane;
  connection.closeLane();
  t.false(lane.append(50));
  t.false(connection.openLane(), "it lacks 50 bytes");
  connection.send();
  await until(() => connection.acknowledged === lane.end());
  t.is(slave.end, lane.end());
});

test("a lane that was opened when something had just been written is closed again at once", async (t) => {
  const lane = await openLane(t);
  const { connection, control } = lane;
  connection.closeLane();
  const open = control.sendLane.open.bind(control.sendLane);
  control.sendLane.open = () => {
    t.false(lane.append(50), "between the look and the opening");
    open();
  };
  t.false(connection.openLane());
  t.false(connection.isOnLane);
  connection.send();
  await until(() => connection.acknowledged === lane.end());
});

test("of a frame that the socket takes in part the connection sends the rest, and then what comes after it", async (t) => {
  const lane = await openLane(t, { haTransferBatchSize: 64 * 1024 });
  const { connection, slave } = lane;
  slave.socket.pause();
  let isSent = true;
  for (let n = 0; isSent && n < 64; n++) isSent = lane.append(1024 * 1024 + n);
  t.false(isSent, "the buffers of two sockets are full");
  t.true(connection.stats.sentOffset < lane.end());
  t.false(lane.append(999));
  connection.send();
  t.false(connection.isOnLane);
  slave.socket.resume();
  await until(() => slave.end === lane.end());
  t.is(wrongBytes(slave.log, 0), 0);
  await until(() => connection.acknowledged === lane.end());
  t.is(lane.sentBytes(), lane.end());
});

test("a frame that has stuck is noticed although nothing is written after it", async (t) => {
  const lane = await openLane(t, { haTransferBatchSize: 4 * 1024 * 1024 - 12 });
  const { connection, slave } = lane;
  slave.socket.pause();
  while (lane.append(4 * 1024 * 1024 - 12));
  t.is(connection.stats.sentOffset, lane.end(), "its group is this frame");
  connection.send();
  t.false(connection.isOnLane);
  slave.socket.resume();
  await until(() => slave.end === lane.end());
  t.is(wrongBytes(slave.log, 0), 0);
});

test("a slave that is late is sent what there is by the connection again", async (t) => {
  const lane = await openLane(t);
  const { connection, slave } = lane;
  slave.acknowledges = false;
  t.true(lane.append(10));
  t.true(connection.isDue);
  connection.late();
  t.false(connection.isOnLane);
  t.false(lane.append(10));
  connection.send();
  await until(() => slave.end === lane.end());
  t.is(wrongBytes(slave.log, 0), 0);
});

test("a sign of life goes between the appender's frames, and what those were counts as one", async (t) => {
  const lane = await openLane(t);
  const { connection, slave, config } = lane;
  const before = slave.signsOfLife;
  const nowMs = monotonicMs();
  t.true(lane.append(10));
  connection.tick(nowMs + config.haSendHeartbeatInterval); // less than an interval after the appender's frame
  t.true(connection.isOnLane);
  connection.tick(monotonicMs() + config.haSendHeartbeatInterval + 1);
  await until(() => slave.signsOfLife > before);
  t.is(slave.signsOfLife, before + 1);
  t.false(connection.isOnLane);
  t.false(lane.append(10));
  connection.send();
  await until(() => slave.end === lane.end());
  t.is(wrongBytes(slave.log, 0), 0);
});

for (const who of ["master", "slave"] as const) {
  test(`a connection that the ${who} ends is sent nothing more, and both ends are closed`, async (t) => {
    const lane = await openLane(t);
    const { connection, slave } = lane;
    if (who === "master") {
      connection.end(undefined);
      await slave.closed();
    } else {
      slave.socket.destroy();
      lane.append(10); // before this side has heard of it
      await until(() => lane.ends.length > 0);
    }
    t.deepEqual(lane.ends, [undefined]);
    t.false(connection.isOnLane);
    t.false(lane.append(10));
    t.false(connection.openLane());
    if (!slave.isClosed) await once(slave.socket, "close");
  });
}

for (const heardBy of ["the connection's next look", "its stream"]) {
  test(`a reset that the appender meets first is why the connection ends, when ${heardBy} hears of it`, async (t) => {
    const lane = await openLane(t);
    lane.slave.socket.resetAndDestroy();
    t.false(lane.append(10)); // before the event loop has had a turn
    if (heardBy !== "its stream") lane.connection.send();
    await until(() => lane.ends.length > 0);
    t.deepEqual([lane.ends, lane.failures], [[undefined], ["ECONNRESET"]]);
  });
}

test("a reset that the stream meets first is why the connection ends, whatever the appender hears after it", async (t) => {
  const lane = await openLane(t);
  const heard = new Promise((resolve) => lane.socket.prependOnceListener("error", () => resolve(lane.append(10))));
  lane.slave.socket.resetAndDestroy();
  t.false(await heard);
  await until(() => lane.ends.length > 0);
  t.deepEqual([lane.ends, lane.failures], [[undefined], ["ECONNRESET"]]);
});

test("a reset that the connection meets when it sends is why it ends", async (t) => {
  const lane = await openLane(t);
  lane.connection.closeLane();
  lane.append(10);
  lane.slave.socket.resetAndDestroy();
  lane.connection.send();
  await until(() => lane.ends.length > 0);
  t.deepEqual([lane.ends, lane.failures], [[undefined], ["ECONNRESET"]]);
});
