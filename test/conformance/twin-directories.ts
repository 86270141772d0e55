import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { decodeIndexHeader, storePaths } from "@millrace/format";
import type { ProgramOptions, Put, PutAnswer } from "./protocol.js";
import { rollForgiven } from "./roll-forgiven.js";
import type { StoreProgram } from "./store-program.js";

/**
 * Puts the same into two empty directories, one of each engine, RocketMQ's clock standing where Millrace's stood, and throws where
 * an answer or a byte differs.
 *
 * @param programs by engine name
 * @param root a directory for both
 * @param isIndexSame whether the index files must be the same too
 * @returns Millrace's answers
 */
export async function compareTwins(
  programs: ReadonlyMap<string, StoreProgram>,
  root: string,
  options: ProgramOptions,
  puts: readonly Put[],
  isIndexSame: boolean,
): Promise<PutAnswer[]> {
  const [millrace, rocketmq] = [join(root, "millrace"), join(root, "rocketmq")];
  const answers = await write(programs.get("millrace") as StoreProgram, millrace, options, puts);
  const stamped = puts.map((put, index) => {
    const storeTimestamp = answers[index]?.storeTimestamp;
    return storeTimestamp === undefined ? put : { ...put, storeTimestamp };
  });
  const program = programs.get("rocketmq") as StoreProgram;
  compareAnswers(answers, await write(program, rocketmq, options, stamped), program.name === "rocketmq-4.9", options);
  compareFiles("commitlog", files(storePaths(millrace).commitLog), files(storePaths(rocketmq).commitLog));
  compareFiles("consumequeue", files(storePaths(millrace).consumeQueue), files(storePaths(rocketmq).consumeQueue));
  if (isIndexSame) compareFiles("index", numbered(files(storePaths(millrace).index)), numbered(files(storePaths(rocketmq).index)));
  return answers;
}

async function write(
  program: StoreProgram,
  directory: string,
  options: ProgramOptions,
  puts: readonly Put[],
): Promise<PutAnswer[]> {
  await program.call("open", { directory, options });
  const answers = await program.call("put", { directory, puts });
  await program.call("settle", { directory });
  await program.call("close", { directory });
  return answers;
}

function compareAnswers(
  answers: readonly PutAnswer[],
  twins: readonly PutAnswer[],
  isRocketMq4: boolean,
  { flushDiskType, mappedFileSizeCommitLog }: ProgramOptions,
): void {
  const isForgiving = isRocketMq4 && flushDiskType === "SYNC_FLUSH";
  const compared = isForgiving ? rollForgiven(answers, twins, mappedFileSizeCommitLog) : twins;
  for (const [index, answer] of answers.entries()) {
    const twin = compared[index];
    // 4.9 has one name for both.
    if (isRocketMq4 && answer.status === "PROPERTIES_SIZE_EXCEEDED" && twin?.status === "MESSAGE_ILLEGAL") continue;
    if (isDeepStrictEqual(answer, twin)) continue;
    throw new Error(`put ${index}\n  millrace ${JSON.stringify(answer)}\n  rocketmq ${JSON.stringify(twin)}`);
  }
}

/** By path below the directory. */
function files(directory: string): Map<string, Buffer> {
  if (!existsSync(directory)) return new Map();
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((path) => [relative(directory, path), readFileSync(path)]));
}

/** Index files are named for the moment that they were made in. RocketMQ makes the first one before there is a key; Millrace does not. */
function numbered(byName: ReadonlyMap<string, Buffer>): Map<string, Buffer> {
  const used = [...byName.values()].filter((bytes) => decodeIndexHeader(bytes).indexCount > 1);
  return new Map(used.map((bytes, index) => [String(index), bytes]));
}

function compareFiles(kind: string, millrace: ReadonlyMap<string, Buffer>, rocketmq: ReadonlyMap<string, Buffer>): void {
  const names = { millrace: [...millrace.keys()], rocketmq: [...rocketmq.keys()] };
  if (!isDeepStrictEqual(names.millrace, names.rocketmq)) throw new Error(`${kind} has other files\n  ${JSON.stringify(names)}`);
  for (const [name, bytes] of millrace) {
    const twin = rocketmq.get(name) as Buffer;
    if (bytes.equals(twin)) continue;
    const at = bytes.findIndex((byte, index) => byte !== twin[index]);
    const around = (buffer: Buffer): string => buffer.subarray(Math.max(0, at - 20), at + 60).toString("hex");
    throw new Error(
      `${kind}/${name} differs: at=${at} lengths=${bytes.length},${twin.length}\n  millrace ${around(bytes)}\n  rocketmq ${around(twin)}`,
    );
  }
}
