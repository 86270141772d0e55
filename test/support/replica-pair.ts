import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { MessageStore, MessageStoreOptions } from "@millrace/store";
import type { ExecutionContext } from "ava";
import { haPort } from "./raw-slave.js";
import { openStore } from "./temporary-store.js";
import { until } from "./until.js";

/** A slave of a store on this machine. */
export async function openSlave(
  t: ExecutionContext,
  master: MessageStore | number,
  options: MessageStoreOptions = {},
): Promise<MessageStore> {
  const port = typeof master === "number" ? master : haPort(master);
  return await openStore(t, { brokerRole: "SLAVE", haMasterAddress: `127.0.0.1:${port}`, ...options });
}

/** The slave has all that the master has, for readers too. */
export async function follows(slave: MessageStore, master: MessageStore): Promise<void> {
  await until(() => slave.maxPhysicalOffset === master.maxPhysicalOffset && slave.dispatchBehindBytes === 0);
}

/** Bytes of a log from one offset to another. */
export function logBytes(store: MessageStore, from: number, to: number): Buffer {
  const { storePathCommitLog, mappedFileSizeCommitLog } = store.config;
  const names = readdirSync(storePathCommitLog).filter((name) => /^\d{20}$/.test(name));
  const first = Number(names.sort()[0]);
  const log = Buffer.concat(names.map((name) => readFileSync(join(storePathCommitLog, name))));
  if (log.length !== names.length * mappedFileSizeCommitLog) throw new Error("a segment has another length");
  return log.subarray(from - first, to - first);
}
