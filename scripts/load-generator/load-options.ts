import { integer, oneOf, seconds, size } from "@millrace/cli/option-value";
import { UsageError } from "@millrace/cli/usage-error";
import { isTopicLegal } from "@millrace/format";
import { Command, Option } from "commander";
import { checkReportOptions } from "./report-page.js";

const MIB = 1024 * 1024;
/** The store's own limit of a body, and of all bodies of a batch. */
const MESSAGE_SIZE_MAX = 4 * MIB;
/** Bodies of all puts in flight; each keeps its own until it is acknowledged. */
const BODIES_MAX = 1024 * MIB;
/** What a record may add to its body here: header, topic, properties. */
export const RECORD_OVERHEAD_MAX = 1024;
export const QUANTITY_MAX = 100_000_000;
/** Bytes of a message's number in its body. */
export const STAMP_LENGTH = 8;
/** Each has a queue of its own. */
const CONSUMERS_MAX = 4096;
/** Each is a process with threads of its own. */
const SLAVES_MAX = 8;

export interface LoadOptions {
  readonly topic: string;
  readonly topics: number;
  readonly queues: number;
  /** 0: no tags. */
  readonly tags: number;
  readonly keyEnable: boolean;
  /** Bytes of a body. */
  readonly messageSize: number;
  readonly batchSize: number;
  /** Threads that put beside one another; 1: the store's own thread puts. */
  readonly producers: number;
  /** Puts (single or batch) in flight; undefined at a fixed rate. */
  readonly inFlight: number | undefined;
  /** Messages a second; undefined with a window. */
  readonly rate: number | undefined;
  /** Messages; undefined with a duration. */
  readonly messageQuantity: number | undefined;
  /** Seconds; undefined with a quantity. */
  readonly duration: number | undefined;
  /** One consumer for each queue, while the messages are sent. */
  readonly consume: boolean;
  /** The store is closed and opened again in the middle. */
  readonly restart: boolean;
  /** In processes of their own. */
  readonly slaves: number;
  readonly brokerRole: "ASYNC_MASTER" | "SYNC_MASTER";
  readonly flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH";
  readonly transientStorePoolEnable: boolean;
  readonly warmMapedFileEnable: boolean;
  readonly writeWithoutMmap: boolean;
  readonly mappedFileSizeCommitLog: number;
  /** undefined: a fresh temporary directory. */
  readonly storePathRootDir: string | undefined;
  readonly keep: boolean;
  /** Path of the HTML; undefined: no report. */
  readonly report: string | undefined;
  /** Path of an earlier report's JSON. */
  readonly compare: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

interface OptionLine {
  readonly short?: string;
  /** Left out for a switch. */
  readonly value?: string;
  readonly about: string;
}

const OPTIONS = {
  topic: { short: "t", value: "name", about: "topic (BenchmarkTest); with several topics: name_0, name_1, …" },
  topics: { value: "n", about: "how many topics (1)" },
  queues: { value: "n", about: "queues per topic (4)" },
  tags: { short: "l", value: "n", about: "how many different tags; 0: none (0)" },
  keyEnable: { short: "k", about: "give every message a key of its own" },
  messageSize: { short: "s", value: "size", about: "length of a body (128)" },
  batchSize: { short: "b", value: "n", about: "messages per put; more than 1 uses putMessages (1)" },
  producers: { value: "n", about: "threads that put, each into topics of its own (1: the store's thread)" },
  inFlight: { short: "w", value: "n", about: "puts in flight (1024)" },
  rate: { short: "r", value: "n", about: "messages a second instead of a window; latency then counts from the intended send time" },
  messageQuantity: { short: "q", value: "n", about: "messages to send, instead of --duration" },
  duration: { short: "d", value: "time", about: "how long to send (5s); one producer sends at most 100,000,000 messages" },
  consume: { about: "consume every queue meanwhile; end-to-end latency, and each message once and in order" },
  restart: { about: "with --consume: close and re-open the store in the middle" },
  slaves: { value: "n", about: "slaves, each a process, cut off now and then; in the end their logs must be the master's (0)" },
  brokerRole: { value: "role", about: "with --slaves: ASYNC_MASTER, or SYNC_MASTER, which waits for all of them (ASYNC_MASTER)" },
  flushDiskType: { value: "type", about: "SYNC_FLUSH or ASYNC_FLUSH (ASYNC_FLUSH)" },
  transientStorePoolEnable: { about: "append into memory, commit to the file in the background" },
  warmMapedFileEnable: { about: "map, touch and lock segments ahead" },
  writeWithoutMmap: { about: "append through the channel instead of the mapping" },
  mappedFileSizeCommitLog: { value: "size", about: "length of a segment (256MiB)" },
  storePathRootDir: { value: "path", about: "store directory, kept; without it a temporary one, removed when all is well" },
  keep: { about: "keep the temporary directory" },
  report: { value: "path", about: "write an HTML page with plots over time and by percentile, and its figures as JSON beside it" },
  compare: { value: "path", about: "with --report: lay an earlier report over it, given as its JSON" },
  json: { about: "print one JSON object as the last line" },
  help: { short: "h", about: "print this" },
} satisfies Record<string, OptionLine>;

type OptionName = keyof typeof OPTIONS;
type Values = Partial<Record<OptionName, string>>;

/** Usage text: every option with its default. */
export function loadUsage(): string {
  const lines = Object.entries<OptionLine>(OPTIONS).map(([name, { short, value, about }]) => {
    const names = `${short === undefined ? "    " : `-${short}, `}--${name}${value === undefined ? "" : ` <${value}>`}`;
    return `  ${names.padEnd(36)} ${about}`;
  });
  return [
    "usage: npm run load -- [options]",
    "",
    "Puts messages into a store, shows rate and latency, then re-opens the store and verifies every acknowledged message.",
    "Sizes take B, KiB, MiB, GiB; times ms, s, m. Switches stand alone or take true or false.",
    "Exit code: 0 all verified, 1 something failed or is lost, 2 bad options.",
    "",
    ...lines,
  ].join("\n");
}

/**
 * Reads the command line (without node and script).
 *
 * @throws UsageError with the reason, for everything that is not a meaningful set of options
 */
export function parseLoadOptions(args: readonly string[]): LoadOptions {
  const values = readValues(args);
  const number = (name: OptionName, standard: number, least: number, most: number): number =>
    values[name] === undefined ? standard : integer(name, values[name], least, most);
  const isSet = (name: OptionName): boolean => values[name] === "true";
  const bySize = (name: OptionName, standard: number, least: number, most: number): number =>
    values[name] === undefined ? standard : size(name, values[name], least, most);
  const rate = values.rate === undefined ? undefined : integer("rate", values.rate, 1, 10_000_000);
  const messageQuantity =
    values.messageQuantity === undefined ? undefined : integer("messageQuantity", values.messageQuantity, 1, QUANTITY_MAX);
  const options: LoadOptions = {
    topic: values.topic ?? "BenchmarkTest",
    topics: number("topics", 1, 1, 10_000),
    queues: number("queues", 4, 1, 1024),
    tags: number("tags", 0, 0, 10_000),
    keyEnable: isSet("keyEnable"),
    messageSize: bySize("messageSize", 128, 0, MESSAGE_SIZE_MAX),
    batchSize: number("batchSize", 1, 1, 10_000),
    producers: number("producers", 1, 1, 64),
    inFlight: rate === undefined ? number("inFlight", 1024, 1, 1_000_000) : undefined,
    rate,
    messageQuantity,
    duration: messageQuantity === undefined ? readDuration(values.duration) : undefined,
    consume: isSet("consume"),
    restart: isSet("restart"),
    slaves: number("slaves", 0, 0, SLAVES_MAX),
    brokerRole: oneOf("brokerRole", values.brokerRole ?? "ASYNC_MASTER", ["ASYNC_MASTER", "SYNC_MASTER"]),
    flushDiskType: oneOf("flushDiskType", values.flushDiskType ?? "ASYNC_FLUSH", ["SYNC_FLUSH", "ASYNC_FLUSH"]),
    transientStorePoolEnable: isSet("transientStorePoolEnable"),
    warmMapedFileEnable: isSet("warmMapedFileEnable"),
    writeWithoutMmap: isSet("writeWithoutMmap"),
    mappedFileSizeCommitLog: bySize("mappedFileSizeCommitLog", 256 * MIB, 4096, 0x7fffffff),
    storePathRootDir: values.storePathRootDir,
    keep: isSet("keep"),
    report: values.report,
    compare: values.compare,
    json: isSet("json"),
    help: isSet("help"),
  };
  checkTogether(options, values);
  return options;
}

function readDuration(text: string | undefined): number {
  return text === undefined ? 5 : seconds("duration", text, 0.05, 24 * 3600);
}

/** The parser, which the command `millrace` has too. A switch stands alone or takes true or false, as in RocketMQ's `-k true`. */
function loadCommand(): Command {
  const command = new Command().exitOverride().helpOption(false).allowExcessArguments(true);
  command.configureOutput({ writeErr: () => {} });
  for (const [name, { short, value }] of Object.entries<OptionLine>(OPTIONS)) {
    const names = `${short === undefined ? "" : `-${short}, `}--${name} ${value === undefined ? "[boolean]" : "<value>"}`;
    const all = (given: string, before: readonly string[] = []): readonly string[] => [...before, given];
    command.addOption(new Option(names).argParser(all).preset("true"));
  }
  return command;
}

function readValues(args: readonly string[]): Values {
  const command = loadCommand();
  try {
    command.parse(args, { from: "user" });
  } catch (error) {
    throw new UsageError((error as Error).message.replace(/^error: /, ""));
  }
  const parsed: Record<string, string[] | undefined> = command.opts();
  const [other] = command.args;
  if (other !== undefined) throw new UsageError(`only options are taken: given=${other}`);
  const values: Values = {};
  for (const [name, given = []] of Object.entries(parsed)) {
    const [value] = given;
    if (given.length > 1) throw new UsageError(`given more than once: --${name}=${given.join(` --${name}=`)}`);
    if (value === undefined) continue;
    const line: OptionLine = OPTIONS[name as OptionName];
    values[name as OptionName] = line.value === undefined ? oneOf(name, value, ["true", "false"]) : value;
  }
  return values;
}

function checkTogether(options: LoadOptions, values: Values): void {
  if (values.messageQuantity !== undefined && values.duration !== undefined) {
    throw new UsageError(
      `a quantity and a duration exclude each other: --messageQuantity=${values.messageQuantity} --duration=${values.duration}`,
    );
  }
  if (values.rate !== undefined && values.inFlight !== undefined) {
    throw new UsageError(`a fixed rate and a window exclude each other: --rate=${values.rate} --inFlight=${values.inFlight}`);
  }
  if (options.messageQuantity !== undefined && options.messageQuantity % options.batchSize !== 0) {
    throw new UsageError(`whole batches are needed: --messageQuantity=${options.messageQuantity} --batchSize=${options.batchSize}`);
  }
  const longest = options.producers === 1 ? options.topic : producerTopic(options.topic, options.producers - 1);
  if (!isTopicLegal(topicName({ ...options, topic: longest }, options.topics - 1))) {
    throw new UsageError(`not a legal topic: --topic=${options.topic}`);
  }
  if (options.storePathRootDir === "") throw new UsageError("a path is needed: --storePathRootDir=");
  if (options.keep && options.storePathRootDir !== undefined) {
    throw new UsageError(`a directory that is named is always kept: --keep --storePathRootDir=${options.storePathRootDir}`);
  }
  checkConsume(options);
  checkSlaves(options, values);
  checkReport(options);
  const { producers, rate, consume, inFlight, messageQuantity } = options;
  if (producers > 1 && (rate !== undefined || consume))
    throw new UsageError(`several producers put as fast as they can, and nobody consumes: --producers=${producers}`);
  const puts = messageQuantity === undefined ? Number.POSITIVE_INFINITY : messageQuantity / options.batchSize;
  if (producers > 1 && (producers > (inFlight ?? 0) || producers > puts)) {
    const quantity = messageQuantity === undefined ? "" : ` --messageQuantity=${messageQuantity} --batchSize=${options.batchSize}`;
    throw new UsageError(
      `each producer needs a put in flight and one to send: --producers=${producers} --inFlight=${inFlight}${quantity}`,
    );
  }
  const putSize = options.messageSize * options.batchSize;
  if (putSize > MESSAGE_SIZE_MAX) {
    throw new UsageError(
      `a put may hold ${MESSAGE_SIZE_MAX} bytes: --messageSize=${options.messageSize} --batchSize=${options.batchSize}`,
    );
  }
  if ((options.messageSize + RECORD_OVERHEAD_MAX) * options.batchSize > options.mappedFileSizeCommitLog) {
    throw new UsageError(
      `a put does not fit a segment: --messageSize=${options.messageSize} --mappedFileSizeCommitLog=${options.mappedFileSizeCommitLog}`,
    );
  }
  if (options.inFlight !== undefined && putSize * options.inFlight > BODIES_MAX) {
    throw new UsageError(
      `more than ${BODIES_MAX} bytes in flight: --inFlight=${options.inFlight} --messageSize=${options.messageSize}`,
    );
  }
}

function checkSlaves({ slaves, transientStorePoolEnable }: LoadOptions, { brokerRole }: Values): void {
  if (brokerRole !== undefined && slaves === 0)
    throw new UsageError(`a master of whom? --brokerRole=${brokerRole} without --slaves`);
  if (slaves > 0 && transientStorePoolEnable)
    throw new UsageError(`slaves are sent what is in the file: --slaves=${slaves} --transientStorePoolEnable`);
}

function checkReport({ report, compare, producers }: LoadOptions): void {
  checkReportOptions({ report, compare });
  if (report !== undefined && producers > 1)
    throw new UsageError(`of one producer there is a report: --report --producers=${producers}`);
}

function checkConsume({ consume, restart, messageSize, topics, queues, messageQuantity, batchSize }: LoadOptions): void {
  if (restart && !consume) throw new UsageError("a restart is made for consumers: --restart without --consume");
  if (!consume) return;
  if (messageSize < STAMP_LENGTH) {
    throw new UsageError(`consumers find ${STAMP_LENGTH} bytes in every body: --consume --messageSize=${messageSize}`);
  }
  if (topics * queues > CONSUMERS_MAX) {
    throw new UsageError(`more than ${CONSUMERS_MAX} consumers: --consume --topics=${topics} --queues=${queues}`);
  }
  if (restart && messageQuantity !== undefined && messageQuantity < 2 * batchSize) {
    throw new UsageError(`two puts at least have a middle: --restart --messageQuantity=${messageQuantity}`);
  }
}

/** The one topic's name is bare, several are numbered. */
export function topicName(options: Pick<LoadOptions, "topic" | "topics">, index: number): string {
  return options.topics === 1 ? options.topic : `${options.topic}_${index}`;
}

/** Each producer of several has topics of its own. */
export function producerTopic(topic: string, producer: number): string {
  return `${topic}-p${producer}`;
}
