import { channel } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { createStorage } from "@millrace/mapped-file";
import test, { type ExecutionContext } from "ava";
import { resolveConfig } from "#store/config/message-store-config.js";
import { HaClient, type SlaveLog } from "#store/replicate/ha-client.js";
import type { RecordStream } from "#store/replicate/record-stream.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";
import { NO_EVENTS } from "../../../support/no-events.js";
import { RawMaster, type RawMasterPeer, transfer, transferHeader } from "../../../support/raw-master.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { SEGMENT_SIZE } from "../../../support/temporary-store.js";
import { until } from "../../../support/until.js";

/** An empty log whose records wait, as those of a new queue do, until {@link letIn}; all that is asked of it is in `said`, in order. */
class WaitingLog implements SlaveLog {
  readonly said: string[] = [];
  readonly minOffset = 0;
  endOffset = 0;
  letIn: (() => void) | undefined;

  get acknowledgedOffset(): number {
    return this.endOffset;
  }

  onIdle(): void {}

  append(records: RecordStream): Promise<void> | undefined {
    if (!records.next()) return undefined;
    this.said.push("waits");
    return new Promise((resolve) => {
      this.letIn = () => {
        records.take();
        this.endOffset = records.offset;
        this.said.push("appended");
        resolve();
      };
    });
  }
}

/** A slave that has been sent a record, which waits. `closed`: its side of that connection is. */
async function waitingSlave(t: ExecutionContext) {
  const storePathRootDir = temporaryDirectory(t);
  const builder = new CommitLogBuilder(SEGMENT_SIZE);
  const { length } = builder.add();
  const record = builder.image(0).slice(0, length);
  const log = new WaitingLog();
  const peers: RawMasterPeer[] = [];
  const sockets: Socket[] = [];
  const onSocket = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
  channel("net.client.socket").subscribe(onSocket);
  t.teardown(() => channel("net.client.socket").unsubscribe(onSocket));
  const master = await RawMaster.listen(t, (peer) => {
    peers.push(peer);
    log.said.push(`from ${peer.start}`);
    if (peers.length === 1) peer.socket.write(transfer(0, record));
  });
  const haMasterAddress = `127.0.0.1:${master.port}`;
  const config = resolveConfig({ storePathRootDir, brokerRole: "SLAVE", haMasterAddress, mappedFileSizeCommitLog: SEGMENT_SIZE });
  const client = new HaClient(config, createStorage({ kind: "real" }), log, NO_EVENTS);
  t.teardown(() => {
    log.letIn?.(); // a test that fails before ends too
    return client.close();
  });
  client.start((error) => t.fail(String(error)));
  await until(() => log.letIn !== undefined);
  const closed = new Promise((resolve) => sockets[0]?.once("close", resolve));
  return { client, log, peer: peers[0] as RawMasterPeer, closed, record };
}

test.serial("a slave whose connection is cut while records wait connects again when they have been appended", async (t) => {
  const { client, log, peer, closed, record } = await waitingSlave(t);
  t.deepEqual(log.said, ["from 0", "waits"]);
  peer.socket.destroy();
  // While they wait nothing is read, so the cut is not seen: what is due finds the silence.
  client.tick(Number.MAX_SAFE_INTEGER);
  await closed;
  await setImmediate();
  t.is(client.stats.state, "following", "the connection has not ended for the log");
  log.letIn?.();
  await until(() => log.said.length > 3);
  // The second one begins in the record, to hold its end against the master's.
  t.deepEqual(log.said, ["from 0", "waits", "appended", "from 1"]);
  t.is(log.endOffset, record.length);
});

test.serial("a slave that is closed while records wait is closed when they have been appended", async (t) => {
  const { client, log, closed } = await waitingSlave(t);
  const closing = client.close().then(() => log.said.push("closed"));
  await closed;
  await setImmediate();
  t.deepEqual(log.said, ["from 0", "waits"]);
  log.letIn?.();
  await closing;
  t.deepEqual(log.said, ["from 0", "waits", "appended", "closed"]);
});

test.serial("a slave does not call a master silent whose bytes it has not had the time to read", async (t) => {
  const { client, log, peer, record } = await waitingSlave(t);
  log.letIn?.();
  await until(() => client.stats.reportedOffset === record.length);
  peer.socket.write(transferHeader(record.length, 0));
  const turns = new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait(turns, 0, 0, 20); // no turn of the event loop, but the system brings the bytes
  client.tick(Number.MAX_SAFE_INTEGER);
  await setImmediate();
  await setImmediate();
  t.is(client.stats.state, "following");
  client.tick(Number.MAX_SAFE_INTEGER);
  await until(() => client.stats.lastError !== undefined);
  t.regex(client.stats.lastError ?? "", /nothing came from the master/, "but one from which nothing has come");
});
