import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { shownValue } from "@millrace/format";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { resolveConfig } from "#store/config/message-store-config.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const KIB = 1024;
const MIB = 1024 * KIB;

test("the defaults are RocketMQ's, complete and frozen", (t) => {
  const config = resolveConfig({});
  t.like(config, {
    storePathRootDir: join(homedir(), "store"),
    storePathCommitLog: join(homedir(), "store", "commitlog"),
    mappedFileSizeCommitLog: 1024 * MIB,
    flushDiskType: "ASYNC_FLUSH",
    flushIntervalCommitLog: 500,
    flushCommitLogLeastPages: 0,
    flushCommitLogThoroughInterval: 10_000,
    commitIntervalCommitLog: 200,
    syncFlushTimeout: 5000,
    maxMessageSize: 4 * MIB,
    osPageCacheBusyTimeOutMills: 1000,
    enabledAppendPropCRC: true,
    writeWithoutMmap: false,
    transientStorePoolEnable: false,
  });
  t.true(Object.isFrozen(config));
  t.true(config.putRingSize >= 2 * config.maxMessageSize);
});

test("undefined is not given; paths become absolute; the ring fits the largest message", (t) => {
  const config = resolveConfig({ storePathRootDir: "somewhere", ...({ flushIntervalCommitLog: undefined } as object) });
  t.is(config.flushIntervalCommitLog, 500);
  t.is(config.storePathCommitLog, join(process.cwd(), "somewhere", "commitlog"));
  const large = resolveConfig({ maxMessageSize: 40 * MIB });
  t.is(large.putRingSize, 128 * MIB);
});

const numbers: Record<string, readonly [number, number]> = {
  mappedFileSizeCommitLog: [4096, 2 ** 31 - 1],
  flushIntervalCommitLog: [1, 2 ** 31 - 1],
  flushCommitLogLeastPages: [0, 2 ** 31 - 1],
  flushCommitLogThoroughInterval: [1, 2 ** 31 - 1],
  commitIntervalCommitLog: [1, 2 ** 31 - 1],
  commitCommitLogLeastPages: [0, 2 ** 31 - 1],
  commitCommitLogThoroughInterval: [1, 2 ** 31 - 1],
  syncFlushTimeout: [1, 2 ** 31 - 1],
  maxMessageSize: [10, 64 * MIB],
  osPageCacheBusyTimeOutMills: [1, 2 ** 31 - 1],
  putMessageTimeout: [1, 2 ** 31 - 1],
  maxAsyncPutMessageRequests: [0, 10_000_000],
  maxAsyncPutMessageBytes: [0, Number.MAX_SAFE_INTEGER],
};

for (const [name, [least, most]] of Object.entries(numbers)) {
  test(`${name} is an integer from ${least} to ${most}`, (t) => {
    for (const good of [least, most])
      t.is(resolveConfig({ [name]: good } as MessageStoreOptions)[name as "syncFlushTimeout"], good);
    for (const bad of [
      least - 1,
      most + 1,
      least + 0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      String(least),
      `${least}ms`,
      true,
      null,
      BigInt(least),
    ]) {
      const error = t.throws(() => resolveConfig({ [name]: bad } as MessageStoreOptions), { code: "ERR_OPTION_ILLEGAL" });
      t.true(error?.message.endsWith(`${name}=${shownValue(bad)}`), error?.message);
    }
  });
}

const illegal: [string, unknown][] = [
  ["storePathRootDir", ""],
  ["storePathRootDir", 5],
  ["storePathRootDir", "a\0b"],
  ["storePathCommitLog", "a,b"],
  ["storePathCommitLog", {}],
  ["flushDiskType", "sync"],
  ["flushDiskType", 1],
  ["backPressure", "block"],
  ["warmMapedFileEnable", "true"],
  ["transientStorePoolEnable", 1],
  ["writeWithoutMmap", 0],
  ["checkCRCOnRecover", null],
  ["enabledAppendPropCRC", "false"],
  ["messageDelayLevel", 5],
  ["messageDelayLevel", ""],
  ["messageDelayLevel", "1s soon"],
  ["messageDelayLevel", "1s 5"],
  ["storeHost", "127.0.0.1:10911"],
  ["storeHost", null],
  ["storeHost", { address: "localhost", port: 1 }],
  ["storeHost", { address: "127.0.0.1", port: 65536 }],
  ["putRingSize", 64 * MIB + 1],
  ["putRingSize", 48 * MIB],
  ["putRingSize", 64 * KIB],
  ["putRingSize", 2 ** 31],
  ["signal", "now"],
  ["onRecoveryProgress", true],
];

for (const [name, value] of illegal) {
  test(`illegal, and nothing on disk: ${name}=${JSON.stringify(value)}`, async (t) => {
    const root = temporaryDirectory(t);
    const options = { storePathRootDir: join(root, "store"), [name]: value } as MessageStoreOptions;
    const error = await t.throwsAsync(MessageStore.open(options), { code: "ERR_OPTION_ILLEGAL" });
    t.regex(error?.message ?? "", new RegExp(`: ${name}=`));
    t.deepEqual(readdirSync(root), []);
  });
}

const explained: [string, unknown, RegExp][] = [
  ["storeHost", "127.0.0.1:1", /^\{ address, port \} with an IPv4 or IPv6 address is needed: /],
  ["storeHost", null, /^\{ address, port \}/],
  ["backPressure", null, /^wait or reject is needed: /],
  ["verifyOnOpen", true, /^tail or all is needed: /],
  ["flushDiskType", 1, /^SYNC_FLUSH or ASYNC_FLUSH is needed: /],
  ["brokerRole", 0, /ASYNC_MASTER, SYNC_MASTER or SLAVE/],
  ["deleteWhen", 4, /^hours of two digits, 00 to 23, with ; between them are needed: /],
  ["messageDelayLevel", 5, /1s 5s/],
  ["fileMode", 0o777, /^rights from 0o600 to 0o666 are needed: fileMode=511, that is 0o777$/],
  ["fileMode", "0640", /^rights from 0o600 to 0o666 are needed: fileMode="0640"$/],
  ["fileMode", 0o611, /owner's.*: fileMode=393, that is 0o611$/],
  ["haMasterAddress", {}, /^host:port is needed, or none: /],
];

for (const [name, value, message] of explained) {
  test(`it is said what is needed instead of ${name}=${JSON.stringify(value)}`, (t) => {
    t.throws(() => resolveConfig({ [name]: value } as MessageStoreOptions), { code: "ERR_OPTION_ILLEGAL", message });
  });
}

const contradictory: [string, MessageStoreOptions][] = [
  ["pool and writeWithoutMmap", { transientStorePoolEnable: true, writeWithoutMmap: true }],
  ["pool and SYNC_FLUSH", { transientStorePoolEnable: true, flushDiskType: "SYNC_FLUSH" }],
  ["a pool size without a pool", { transientStorePoolSize: 3 }],
  ["a ring smaller than a message", { putRingSize: 128 * KIB, maxMessageSize: 128 * KIB }],
  ["a ring smaller than the largest message by default", { putRingSize: 128 * KIB }],
];

for (const [what, options] of contradictory) {
  test(`contradictory, and nothing on disk: ${what}`, async (t) => {
    const root = temporaryDirectory(t);
    await t.throwsAsync(MessageStore.open({ storePathRootDir: join(root, "store"), ...options }), {
      code: "ERR_OPTION_CONTRADICTORY",
    });
    t.deepEqual(readdirSync(root), []);
  });
}

test("a store's config opens it again", (t) => {
  const config = resolveConfig({ storePathRootDir: "/nowhere/store" });
  t.deepEqual(resolveConfig(config), config);
});

test("an option that there is not is refused, and nothing is on disk", async (t) => {
  const root = temporaryDirectory(t);
  for (const name of ["flushDisktype", "warmMappedFileEnable", "toString", "__proto__x"]) {
    const options = { storePathRootDir: join(root, "store"), [name]: 1 } as MessageStoreOptions;
    await t.throwsAsync(MessageStore.open(options), { code: "ERR_OPTION_UNKNOWN", message: new RegExp(`name=${name}$`) });
  }
  t.deepEqual(readdirSync(root), []);
});

test("a misspelt option is answered with the name that was meant", (t) => {
  const misspelt = (name: string): void => void resolveConfig({ [name]: true } as MessageStoreOptions);
  const message = "there is no such option; did you mean warmMapedFileEnable?: name=warmMappedFileEnable";
  t.throws(() => misspelt("warmMappedFileEnable"), { message });
  t.throws(() => misspelt("compression"), { message: "there is no such option: name=compression" });
});

test("a ratio is asked for in per cent, a host by its fields", (t) => {
  const ratio = /^an integer from 10 to 95, in per cent, is needed: diskMaxUsedSpaceRatio=0\.75$/;
  t.throws(() => resolveConfig({ diskMaxUsedSpaceRatio: 0.75 }), { message: ratio });
  const host = /^\{ address, port \} .*: storeHost=\{ address: 'localhost', port: 1 \}$/;
  t.throws(() => resolveConfig({ storeHost: { address: "localhost", port: 1 } }), { message: host });
});

test("options that are no object are refused", async (t) => {
  for (const options of ["store", 5, null, ["store"], () => {}]) {
    await t.throwsAsync(MessageStore.open(options as MessageStoreOptions), { code: "ERR_OPTION_ILLEGAL" });
  }
});
