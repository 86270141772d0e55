import { createInterface } from "node:readline";
import { MessageStore, type MessageStoreOptions, type PutMessageResult } from "@millrace/store";
import { Command } from "commander";
import { withExamples } from "../examples.js";
import { exitWith } from "../exit-code.js";
import { interrupted } from "../interrupted.js";
import { integer, QUEUE_ID_MAX } from "../option-value.js";
import { print, printJson } from "../print.js";
import { DELETES_NOTHING, isNew, newStoreOptions, type SizeOptions, storeOptions, withSizes } from "../store-directory.js";
import { UsageError } from "../usage-error.js";

interface PutOptions extends SizeOptions {
  readonly create?: true;
  readonly sync?: true;
  readonly tags?: string;
  readonly keys?: string;
  readonly json?: true;
}

const UNANSWERED_MAX = 1000;

/** `millrace put`: line by line from standard input, for a try. */
export function putCommand(): Command {
  const command = withSizes(new Command("put"))
    .summary("puts messages, line by line from standard input, for a try")
    .description("Opens a store that nobody has open, and puts each line of standard input as the body of a message.")
    .argument("<topic>", "to put to")
    .argument("[queue]", "queue id", "0")
    .option("--create", "make a new store, in a directory that is not there yet, or empty; without it none is ever made")
    .option("--sync", "each durable when it is acknowledged (SYNC_FLUSH)")
    .option("--tags <tag>", "their tag")
    .option("--keys <keys>", "their keys, with spaces between them")
    .option("--json", "what was put as JSON")
    .action(async (directory: string, topic: string, queue: string, options: PutOptions) => {
      const queueId = integer("queue", queue, 0, QUEUE_ID_MAX);
      const made = options.create ? newStore(directory, options) : storeOptions(directory, options);
      const signal = interrupted();
      const store = await MessageStore.open({
        ...made,
        ...DELETES_NOTHING,
        ...(options.sync ? { flushDiskType: "SYNC_FLUSH" } : {}),
        signal,
      });
      const { tags, keys } = options;
      const about = { ...(tags === undefined ? {} : { tags }), ...(keys === undefined ? {} : { keys: keys.split(" ") }) };
      const messageOf = (line: string) => ({ topic, queueId, body: Buffer.from(line), ...about });
      const { failure, ...outcome } = await putLines(store, signal, messageOf);
      const { put, inLogOnly, refused, rejected, lastMsgId } = outcome;
      if (options.json) printJson(outcome);
      else
        print(`put ${put}, in the log only ${inLogOnly}, refused ${refused}, rejected ${rejected}, last msgId ${lastMsgId ?? "-"}`);
      if (inLogOnly + refused > 0) exitWith("failed");
      if (failure !== undefined) throw failure;
    });
  return withExamples(command, [
    ["put orders-store Orders --create < orders.txt", "a new store with a message a line"],
    ["put orders-store Orders 3 --tags paid --keys 4711", "typed, up to Ctrl-D"],
  ]);
}

/** @throws UsageError something is there */
function newStore(directory: string, options: PutOptions): MessageStoreOptions {
  const { storePathCommitLog } = options;
  if (!isNew(directory))
    throw new UsageError(`a new store wants a directory that is not there, or empty: storePathRootDir=${directory}`);
  if (storePathCommitLog !== undefined && !isNew(storePathCommitLog))
    throw new UsageError(`a new store wants a log that is not there, or empty: --storePathCommitLog=${storePathCommitLog}`);
  return newStoreOptions(directory, options);
}

/** What became of the lines. */
interface LinesOutcome {
  readonly put: number;
  /** In the log, and not acknowledged as durable, or with enough slaves, in time. */
  readonly inLogOnly: number;
  readonly refused: number;
  readonly rejected: number;
  readonly lastMsgId: string | undefined;
  /** Why a put was rejected first, or the input could not be read, or the store not be closed. */
  readonly failure: unknown;
}

/** To the end of the input, to the first put that is rejected, or until it is interrupted. Closes the store; does not reject. */
async function putLines(
  store: MessageStore,
  interrupt: AbortSignal,
  messageOf: (line: string) => Parameters<MessageStore["putMessage"]>[0],
): Promise<LinesOutcome> {
  let [put, inLogOnly, refused, rejected] = [0, 0, 0, 0];
  let lastMsgId: string | undefined;
  const failed = new AbortController(); // the first reason stays
  const onAnswer = ({ status, appendResult, reason }: PutMessageResult): void => {
    if (appendResult === null) {
      refused++;
      process.stderr.write(`not put: status=${status} reason=${reason}\n`);
      return;
    }
    lastMsgId = appendResult.msgId;
    if (status === "PUT_OK") put++;
    else {
      inLogOnly++;
      process.stderr.write(`in the log, and not acknowledged as durable or replicated: status=${status} msgId=${lastMsgId}\n`);
    }
  };
  const onRejection = (error: unknown): void => {
    rejected++;
    failed.abort(error);
  };
  const signal = AbortSignal.any([interrupt, failed.signal]);
  let answered = Promise.resolve();
  try {
    for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY, signal })) {
      if (failed.signal.aborted) break; // lines that had been read before
      const answer = store.putMessage(messageOf(line)).then(onAnswer, onRejection);
      answered = answered.then(() => answer);
      await store.drained(UNANSWERED_MAX);
    }
  } catch (error) {
    failed.abort(error);
  }
  await answered;
  await store.close().catch((error: unknown) => failed.abort(error));
  return { put, inLogOnly, refused, rejected, lastMsgId, failure: failed.signal.reason };
}
