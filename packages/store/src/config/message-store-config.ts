import { homedir } from "node:os";
import { isAbsolute, resolve } from "node:path";
import {
  CONSUME_QUEUE_UNIT_LENGTH,
  DelayLevels,
  encodeHost,
  HA_BODY_LIMIT,
  MillraceError,
  RECORD_OVERHEAD_LIMIT,
} from "@millrace/format";
import { DEFAULT_FILE_MODE } from "@millrace/mapped-file";
import { checkCallback, checkObject, checkSignal } from "./call-options.js";
import { BROKER_ROLE_NEEDED, checkPeers, checkReplication, LISTEN_ADDRESS_NEEDED, MASTER_ADDRESS_NEEDED } from "./ha-options.js";
import { illegal } from "./illegal-option.js";
import { checkKnownKeys } from "./known-keys.js";
import { machineAddress } from "./machine-address.js";
import type { MessageStoreOptions } from "./message-store-options.js";

/** The options, complete, checked once and frozen. */
export type MessageStoreConfig = Readonly<Required<Omit<MessageStoreOptions, "signal" | "onRecoveryProgress" | "logger">>>;

const MIB = 1024 * 1024;
const INT_MAX = 0x7fffffff;
/** The owner may read and write, whoever else; nobody executes. */
const OWNER_MODE = 0o600;
const ALL_MODE = 0o666;

const DEFAULTS: Omit<MessageStoreConfig, "storePathRootDir" | "storePathCommitLog" | "putRingSize"> = {
  fileMode: DEFAULT_FILE_MODE,
  mappedFileSizeCommitLog: 1024 * MIB,
  flushDiskType: "ASYNC_FLUSH",
  flushIntervalCommitLog: 500,
  flushCommitLogLeastPages: 0,
  flushCommitLogThoroughInterval: 10_000,
  commitIntervalCommitLog: 200,
  commitCommitLogLeastPages: 4,
  commitCommitLogThoroughInterval: 200,
  syncFlushTimeout: 5000,
  warmMapedFileEnable: false,
  transientStorePoolEnable: false,
  transientStorePoolSize: 5,
  writeWithoutMmap: false,
  maxMessageSize: 4 * MIB,
  osPageCacheBusyTimeOutMills: 1000,
  checkCRCOnRecover: true,
  verifyOnOpen: "tail",
  scrubBytesPerSecond: 4 * MIB,
  enabledAppendPropCRC: true,
  messageDelayLevel: "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h",
  storeHost: { address: machineAddress(), port: 10911 },
  backPressure: "wait",
  putMessageTimeout: 8000,
  maxAsyncPutMessageRequests: 1_000_000,
  maxAsyncPutMessageBytes: 256 * MIB,
  mappedFileSizeConsumeQueue: 6_000_000,
  flushIntervalConsumeQueue: 1000,
  flushConsumeQueueLeastPages: 2,
  flushConsumeQueueThoroughInterval: 60_000,
  commitLogDispatchers: [],
  messageIndexEnable: true,
  maxHashSlotNum: 5_000_000,
  maxIndexNum: 20_000_000,
  maxMsgsNumBatch: 64,
  maxTransferBytesOnMessageInMemory: 262_144,
  maxTransferCountOnMessageInMemory: 32,
  maxTransferBytesOnMessageInDisk: 65_536,
  maxTransferCountOnMessageInDisk: 8,
  accessMessageInMemoryMaxRatio: 40,
  maxFilterMessageSize: 16_000,
  travelCqFileNumWhenGetMessage: 1,
  flushDelayOffsetInterval: 10_000,
  deleteWhen: "04",
  fileReservedTime: 72,
  diskMaxUsedSpaceRatio: 75,
  diskSpaceCleanForciblyRatio: 85,
  diskSpaceWarningLevelRatio: 90,
  cleanFileForciblyEnable: true,
  cleanResourceInterval: 10_000,
  deleteCommitLogFilesInterval: 100,
  deleteConsumeQueueFilesInterval: 100,
  deleteFileBatchMax: 10,
  destroyMapedFileIntervalForcibly: 120_000,
  brokerRole: "ASYNC_MASTER",
  haListenPort: -1,
  haListenAddress: "127.0.0.1",
  haPeers: [],
  haMasterAddress: "",
  haSendHeartbeatInterval: 5000,
  haHousekeepingInterval: 20_000,
  haTransferBatchSize: 32_768,
  haMaxGapNotInSync: 256 * MIB,
  slaveTimeout: 3000,
  inSyncReplicas: 2,
  minInSyncReplicas: 1,
  enableAutoInSyncReplicas: false,
  unref: false,
};

type NumberOption = { [K in keyof MessageStoreConfig]: MessageStoreConfig[K] extends number ? K : never }[keyof MessageStoreConfig];

/** Of one log; each costs the master a connection. */
const REPLICAS_LIMIT = 16;

/** Least and greatest value of each number. */
const RANGES: Readonly<Record<NumberOption, readonly [number, number]>> = {
  fileMode: [OWNER_MODE, ALL_MODE],
  mappedFileSizeCommitLog: [4096, INT_MAX],
  flushIntervalCommitLog: [1, INT_MAX],
  flushCommitLogLeastPages: [0, INT_MAX],
  flushCommitLogThoroughInterval: [1, INT_MAX],
  commitIntervalCommitLog: [1, INT_MAX],
  commitCommitLogLeastPages: [0, INT_MAX],
  commitCommitLogThoroughInterval: [1, INT_MAX],
  syncFlushTimeout: [1, INT_MAX],
  scrubBytesPerSecond: [0, INT_MAX],
  transientStorePoolSize: [1, 64],
  maxMessageSize: [10, 64 * MIB],
  osPageCacheBusyTimeOutMills: [1, INT_MAX],
  putRingSize: [2 * RECORD_OVERHEAD_LIMIT, 1024 * MIB], // a power of two that holds any message at all
  putMessageTimeout: [1, INT_MAX],
  maxAsyncPutMessageRequests: [0, 10_000_000],
  maxAsyncPutMessageBytes: [0, Number.MAX_SAFE_INTEGER],
  mappedFileSizeConsumeQueue: [1, 1024 * MIB],
  flushIntervalConsumeQueue: [1, INT_MAX],
  flushConsumeQueueLeastPages: [0, INT_MAX],
  flushConsumeQueueThoroughInterval: [1, INT_MAX],
  maxHashSlotNum: [1, 100_000_000],
  maxIndexNum: [2, 100_000_000],
  maxMsgsNumBatch: [1, INT_MAX],
  maxTransferBytesOnMessageInMemory: [1, INT_MAX],
  maxTransferCountOnMessageInMemory: [1, INT_MAX],
  maxTransferBytesOnMessageInDisk: [1, INT_MAX],
  maxTransferCountOnMessageInDisk: [1, INT_MAX],
  accessMessageInMemoryMaxRatio: [0, 100],
  maxFilterMessageSize: [20, INT_MAX],
  travelCqFileNumWhenGetMessage: [1, INT_MAX],
  flushDelayOffsetInterval: [1, INT_MAX],
  fileReservedTime: [0, INT_MAX],
  diskMaxUsedSpaceRatio: [10, 95],
  diskSpaceCleanForciblyRatio: [30, 85],
  diskSpaceWarningLevelRatio: [35, 90],
  cleanResourceInterval: [1, INT_MAX],
  deleteCommitLogFilesInterval: [0, INT_MAX],
  deleteConsumeQueueFilesInterval: [0, INT_MAX],
  deleteFileBatchMax: [1, INT_MAX],
  destroyMapedFileIntervalForcibly: [0, INT_MAX],
  haListenPort: [-1, 65_535],
  haSendHeartbeatInterval: [1, INT_MAX],
  haHousekeepingInterval: [1, INT_MAX],
  haTransferBatchSize: [1, HA_BODY_LIMIT],
  haMaxGapNotInSync: [1, Number.MAX_SAFE_INTEGER],
  slaveTimeout: [1, INT_MAX],
  inSyncReplicas: [1, REPLICAS_LIMIT],
  minInSyncReplicas: [1, REPLICAS_LIMIT],
};

/** What a value must be that is neither a number nor a boolean, and has the wrong type: as where it has the wrong form. */
const FORMS = {
  flushDiskType: "SYNC_FLUSH or ASYNC_FLUSH is needed",
  backPressure: "wait or reject is needed",
  verifyOnOpen: "tail or all is needed",
  messageDelayLevel: 'numbers with s, m, h or d, and spaces between them, as "1s 5s 10m 2h", are needed',
  storeHost: "{ address, port } with an IPv4 or IPv6 address is needed",
  deleteWhen: "hours of two digits, 00 to 23, with ; between them are needed",
  brokerRole: BROKER_ROLE_NEEDED,
  haListenAddress: LISTEN_ADDRESS_NEEDED,
  haMasterAddress: MASTER_ADDRESS_NEEDED,
} as const;

const DELETE_HOURS = /^([01]\d|2[0-3])(;([01]\d|2[0-3]))*$/;
const RING_DEFAULT = 8 * MIB;

/** Checks the options and fills in the defaults. Throws ERR_OPTION_UNKNOWN, ERR_OPTION_ILLEGAL or ERR_OPTION_CONTRADICTORY. */
export function resolveConfig(options: MessageStoreOptions): MessageStoreConfig {
  checkObject(options);
  const known = new Set([
    ...Object.keys(DEFAULTS),
    "storePathRootDir",
    "storePathCommitLog",
    "putRingSize",
    "signal",
    "onRecoveryProgress",
    "logger",
  ]);
  checkKnownKeys(options, known, "ERR_OPTION_UNKNOWN", "option");
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as MessageStoreOptions;
  const merged = { ...DEFAULTS, ...given };
  checkPath("storePathRootDir", merged.storePathRootDir);
  checkPath("storePathCommitLog", merged.storePathCommitLog);
  const root = resolve(merged.storePathRootDir ?? resolve(homedir(), "store"));
  const { signal, onRecoveryProgress, logger, ...rest } = merged;
  checkSignal(signal);
  checkCallback("onRecoveryProgress", onRecoveryProgress);
  if (logger !== undefined && typeof logger?.error !== "function") {
    throw illegal("logger", logger, "an object with a method named error, as console is one, is needed");
  }
  const config: MessageStoreConfig = {
    ...rest,
    storePathRootDir: root,
    storePathCommitLog: resolve(merged.storePathCommitLog ?? resolve(root, "commitlog")),
    putRingSize: merged.putRingSize ?? defaultRingSize(merged.maxMessageSize),
    mappedFileSizeConsumeQueue:
      Math.ceil(merged.mappedFileSizeConsumeQueue / CONSUME_QUEUE_UNIT_LENGTH) * CONSUME_QUEUE_UNIT_LENGTH,
    commitLogDispatchers: Object.freeze(checkDispatchers(merged.commitLogDispatchers)),
    haPeers: Object.freeze(checkPeers(merged.haPeers)),
  };
  checkTypes(config);
  checkFormats(config);
  checkTogether(config);
  checkReplication(config);
  return Object.freeze(config);
}

function checkPath(name: string, value: unknown): void {
  if (value === undefined) return;
  if (typeof value !== "string" || value === "" || value.includes("\0"))
    throw illegal(name, value, "a path is a non-empty string without NUL");
  if (value.includes(",")) throw illegal(name, value, "several commit log paths are not supported");
}

function checkDispatchers(modules: unknown): string[] {
  const isModule = (module: unknown): boolean => typeof module === "string" && (module.startsWith("file:") || isAbsolute(module));
  if (Array.isArray(modules) && modules.every(isModule)) return [...modules];
  throw illegal("commitLogDispatchers", modules, "file URLs or absolute paths of modules are needed");
}

/** A power of two that holds two of the largest records, so that one never waits for the ring to be empty. */
function defaultRingSize(maxMessageSize: number): number {
  let size = RING_DEFAULT;
  while (Number.isFinite(maxMessageSize) && size < 2 * (maxMessageSize + RECORD_OVERHEAD_LIMIT) && size < 1024 * MIB) size *= 2;
  return size;
}

function checkTypes(config: MessageStoreConfig): void {
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = config[name as NumberOption];
    if (Number.isInteger(value) && value >= least && value <= most) continue;
    if (name === "fileMode") throw illegalMode(value, `rights from ${octal(least)} to ${octal(most)} are needed`);
    throw illegal(name, value, `an integer from ${least} to ${most}${name.endsWith("Ratio") ? ", in per cent," : ""} is needed`);
  }
  const forms: Readonly<Record<string, string>> = FORMS;
  for (const [name, standard] of Object.entries(DEFAULTS)) {
    const value = config[name as keyof typeof DEFAULTS];
    if (typeof value !== typeof standard) throw illegal(name, value, forms[name] ?? `a ${typeof standard} is needed`);
  }
}

function octal(mode: number): string {
  return `0o${mode.toString(8)}`;
}

function illegalMode(value: number, reason: string): MillraceError {
  if (!Number.isSafeInteger(value) || value < 0) return illegal("fileMode", value, reason);
  return new MillraceError("ERR_OPTION_ILLEGAL", `${reason}: fileMode=${value}, that is ${octal(value)}`);
}

function checkFormats(config: MessageStoreConfig): void {
  const { flushDiskType, backPressure, verifyOnOpen, fileMode, deleteWhen, storeHost } = config;
  const check = (name: keyof typeof FORMS, isGood: boolean): void => {
    if (!isGood) throw illegal(name, config[name], FORMS[name]);
  };
  check("flushDiskType", flushDiskType === "SYNC_FLUSH" || flushDiskType === "ASYNC_FLUSH");
  check("backPressure", backPressure === "wait" || backPressure === "reject");
  check("verifyOnOpen", verifyOnOpen === "tail" || verifyOnOpen === "all");
  if ((fileMode & OWNER_MODE) !== OWNER_MODE || (fileMode & ~ALL_MODE) !== 0)
    throw illegalMode(fileMode, "rights of which the owner's are to read and write, and that let nobody execute, are needed");
  DelayLevels.parse(config.messageDelayLevel);
  check("deleteWhen", DELETE_HOURS.test(deleteWhen));
  check("storeHost", isHost(storeHost));
}

function isHost(host: MessageStoreConfig["storeHost"]): boolean {
  try {
    encodeHost(host);
    return true;
  } catch {
    return false;
  }
}

function checkTogether(config: MessageStoreConfig): void {
  const contradictory = (message: string): MillraceError => new MillraceError("ERR_OPTION_CONTRADICTORY", message);
  if ((config.putRingSize & (config.putRingSize - 1)) !== 0)
    throw illegal("putRingSize", config.putRingSize, "a power of two is needed");
  if (config.transientStorePoolEnable && config.writeWithoutMmap) {
    throw contradictory("the pool and writeWithoutMmap exclude each other: transientStorePoolEnable=true writeWithoutMmap=true");
  }
  if (config.transientStorePoolEnable && config.flushDiskType === "SYNC_FLUSH") {
    throw contradictory("the pool is for ASYNC_FLUSH: transientStorePoolEnable=true flushDiskType=SYNC_FLUSH");
  }
  // The default is in every config, which may be given again.
  if (config.transientStorePoolSize !== DEFAULTS.transientStorePoolSize && !config.transientStorePoolEnable) {
    throw contradictory(
      `without a pool it has no size: transientStorePoolEnable=false transientStorePoolSize=${config.transientStorePoolSize}`,
    );
  }
  if (config.putRingSize < config.maxMessageSize + RECORD_OVERHEAD_LIMIT) {
    throw contradictory(
      `the largest message does not fit the ring: putRingSize=${config.putRingSize} maxMessageSize=${config.maxMessageSize}`,
    );
  }
}
