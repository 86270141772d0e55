import { setTimeout } from "node:timers/promises";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import { Command } from "commander";
import { withExamples } from "../examples.js";
import { interrupted } from "../interrupted.js";
import { INT_MAX, integer, oneOf } from "../option-value.js";
import { bytesText, print, warn } from "../print.js";
import { replicaOptions, type SizeOptions, withSizes } from "../store-directory.js";
import { UsageError } from "../usage-error.js";

interface RetentionOptions {
  readonly fileReservedTime?: string;
  readonly deleteWhen?: string;
  readonly cleanFileForciblyEnable?: string;
}

interface ReplicaOptions extends SizeOptions, RetentionOptions {
  readonly of: string;
  readonly sync?: true;
  readonly json?: true;
}

const LOOK_MS = 200;

/** `millrace replica`: a slave, for as long as it runs. */
export function replicaCommand(): Command {
  const command = withSizes(new Command("replica"))
    .summary("follow a master, Millrace's or a RocketMQ broker: a copy of its log, kept until it is interrupted")
    .description(
      "Opens a store as a slave, or makes one in a directory that is not there yet, or empty, and says how far it is when that " +
        "changes. A new one wants the master's mappedFileSizeCommitLog. docs/replication.md says what to do when the master is lost.",
    )
    .requiredOption("--of <host:port>", "where the master accepts slaves (haListenPort)")
    .option("--sync", "acknowledge what is on this disk (SYNC_FLUSH), not what is in memory")
    .option("--fileReservedTime <hours>", "how long the slave keeps a segment after its last change; 72 without it")
    .option("--deleteWhen <hours>", "hours of the day in which expired segments are deleted, as 04;05; 04 without it")
    .option("--cleanFileForciblyEnable <bool>", "whether a disk above 85 % costs segments that have not expired; true without it")
    .option("--json", "each line as JSON")
    .action(async (directory: string, options: ReplicaOptions) => {
      const { of, sync, json } = options;
      if (!of.includes(":")) throw new UsageError(`host:port is needed: --of=${of}`);
      const role = { brokerRole: "SLAVE", haMasterAddress: of } as const;
      const signal = interrupted();
      const flush = sync === true ? ({ flushDiskType: "SYNC_FLUSH" } as const) : {};
      await using store = await MessageStore.open({ ...slaveOptions(directory, options), ...role, ...flush, signal });
      store.on("diverged", ({ message }) => warn(message));
      for (let shown = ""; !signal.aborted; await setTimeout(LOOK_MS)) {
        const line = json ? JSON.stringify(position(store)) : sentence(store);
        if (line !== shown) print(line);
        shown = line;
        if (hasFailed(store)) await store.flush(); // rejects with what has failed
      }
    });
  return withExamples(command, [
    ["replica orders-copy --of 10.0.0.1:10912", "a copy of the store that listens there"],
    ["replica orders-copy --of broker-a:10912 --mappedFileSizeCommitLog 1GiB", "of a broker, the first time"],
  ]);
}

function slaveOptions(directory: string, options: ReplicaOptions): MessageStoreOptions {
  const { fileReservedTime: kept, deleteWhen, cleanFileForciblyEnable: forcibly } = options;
  return {
    ...replicaOptions(directory, options),
    ...(kept === undefined ? {} : { fileReservedTime: integer("fileReservedTime", kept, 0, INT_MAX) }),
    ...(deleteWhen === undefined ? {} : { deleteWhen }),
    ...(forcibly === undefined
      ? {}
      : { cleanFileForciblyEnable: oneOf("cleanFileForciblyEnable", forcibly, ["true", "false"]) === "true" }),
  };
}

/** Nothing is followed any more. */
function hasFailed(store: MessageStore): boolean {
  const { state } = store.stats();
  return state === "fenced" || state === "faulted";
}

function position(store: MessageStore) {
  const { state = "connecting", lastError } = store.stats().ha?.master ?? {};
  return { state, maxOffset: store.maxPhysicalOffset, ...(lastError === undefined ? {} : { lastError }) };
}

function sentence(store: MessageStore): string {
  const { state, maxOffset, lastError } = position(store);
  return `${state}  ${bytesText(maxOffset)} of log${lastError === undefined ? "" : `  ${lastError}`}`;
}
