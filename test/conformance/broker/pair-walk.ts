import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import type { RocketMqSeries } from "#scripts/bench/java/java-toolchain.js";
import { until } from "../../support/until.js";
import { ChildProgram } from "./child-program.js";
import { consumeEach } from "./consume-each.js";
import { nameMaster } from "./name-master.js";
import { bodiesOf } from "./queue-bodies.js";
import type { RocketMqPrograms } from "./rocketmq-programs.js";

const TOPIC = "Orders";
const QUEUES = [0, 1, 2, 3];
const SHARED = { mappedFileSizeCommitLog: 65_536, mappedFileSizeConsumeQueue: 400 };
const SECONDS = 90;

/** docs/replication.md with whole brokers: one follows Millrace and takes over, then Millrace follows one and takes over. */
export class PairWalk {
  readonly #programs: RocketMqPrograms;
  readonly #series: RocketMqSeries;
  readonly #directory: string;
  readonly #say: (line: string) => void;

  constructor(programs: RocketMqPrograms, series: RocketMqSeries, directory: string, say: (line: string) => void) {
    this.#programs = programs;
    this.#series = series;
    this.#directory = directory;
    this.#say = say;
  }

  async run(): Promise<void> {
    const nameServer = await this.#programs.startNameServer();
    await this.#brokerFollows();
    await this.#millraceFollows();
    await nameServer.stop("SIGTERM");
    this.#say(`all steps went as the page says, with RocketMQ ${this.#series}`);
  }

  /** A broker is Millrace's slave; Millrace is killed; the broker serves what it has, as the master that it is made then. */
  async #brokerFollows(): Promise<void> {
    const [ours, theirs] = [this.#place("millrace-master"), this.#place("broker-slave")];
    const haListenPort = this.#programs.brokerPort + 10;
    const options: MessageStoreOptions = {
      ...SHARED,
      storePathRootDir: ours,
      storeHost: { address: "127.0.0.1", port: this.#programs.brokerPort },
      brokerRole: "SYNC_MASTER",
      haListenPort,
    };
    const orders = newOrders("Millrace", 300);
    const args = [JSON.stringify(options), JSON.stringify(orders), String(QUEUES.length)];
    const script = join(import.meta.dirname, "pair-master.js");
    const master = new ChildProgram("Millrace as master", process.execPath, [script, ...args], this.#directory);
    await master.expect(/^listening/, SECONDS);
    this.#programs.writeTopics(theirs, TOPIC, QUEUES.length);
    const haMasterAddress = `127.0.0.1:${haListenPort}`;
    const slave = this.#startBroker(theirs, { brokerRole: "SLAVE", brokerId: 1, haMasterAddress });
    await slave.expect(/boot success/, SECONDS);
    if (this.#series === "5") await nameMaster(this.#programs.brokerPort, haMasterAddress);
    await master.expect(/^PUT_OK /, SECONDS, orders.length);
    this.#say(`a SLAVE broker follows Millrace, a SYNC_MASTER: ${orders.length} puts waited for it, and are PUT_OK`);
    await master.stop("SIGKILL");
    await slave.stop("SIGTERM");
    assert.equal(sameLog(ours, theirs), undefined);
    this.#say("Millrace was killed; the broker's log is Millrace's, byte for byte");

    const promoted = this.#startBroker(theirs, { brokerRole: "ASYNC_MASTER", brokerId: 0 });
    await this.#programs.isServed(promoted, TOPIC);
    await consumeEach(this.#programs, "billing", TOPIC, orders, SECONDS);
    const found = await this.#programs.admin("queryMsgByKey", "-t", TOPIC, "-k", "key-7");
    assert.ok(
      found.some((line) => /^[0-9A-F]{32}/.test(line)),
      `the broker found nothing by key:\n${found.join("\n")}`,
    );
    await promoted.stop("SIGTERM");
    this.#say("the broker, made a master, serves a real consumer: each order once and in order, and by its key");
  }

  /** Millrace is the slave of a SYNC_MASTER broker that waits for it; the broker is killed; Millrace is made a master. */
  async #millraceFollows(): Promise<void> {
    const [theirs, ours] = [this.#place("broker-master"), this.#place("millrace-slave")];
    this.#programs.writeTopics(theirs, TOPIC, QUEUES.length);
    const broker = this.#startBroker(theirs, { brokerRole: "SYNC_MASTER", ...(this.#series === "5" ? { inSyncReplicas: 2 } : {}) });
    await this.#programs.isServed(broker, TOPIC);
    const producer = this.#programs.produce("order-producers");
    const alone = this.#series === "5" ? "FLUSH_SLAVE_TIMEOUT" : "SLAVE_NOT_AVAILABLE";
    await this.#send(producer, "nobody follows", 0, alone);
    this.#say(`a SYNC_MASTER broker without a slave answers ${alone}`);

    const haMasterAddress = `127.0.0.1:${this.#programs.brokerPort + 1}`;
    const following: MessageStoreOptions = { ...SHARED, storePathRootDir: ours, brokerRole: "SLAVE", haMasterAddress };
    const slave = await MessageStore.open(following);
    await until(() => slave.maxPhysicalOffset > 0);
    const orders = newOrders("the broker", 100);
    for (const [n, order] of orders.entries()) await this.#send(producer, order, n % QUEUES.length, "SEND_OK");
    producer.endInput();
    await producer.end(SECONDS);
    await broker.stop("SIGKILL");
    this.#say(`Millrace follows: ${orders.length} messages were sent, and are SEND_OK`);
    await until(() => slave.dispatchBehindBytes === 0);
    const sent = ["nobody follows", ...orders];
    assert.deepEqual(QUEUES.flatMap((queueId) => bodiesOf(slave, TOPIC, queueId)).sort(), [...sent].sort());
    await slave.close();
    assert.equal(sameLog(theirs, ours), undefined);
    this.#say("the broker was killed; Millrace has each message once, and the broker's log byte for byte");

    await using promoted = await MessageStore.open({ ...SHARED, storePathRootDir: ours });
    const next = promoted.getMaxOffsetInQueue(TOPIC, 1);
    const { status, appendResult } = await promoted.putMessage({ topic: TOPIC, queueId: 1, body: Buffer.from("goes on") });
    assert.deepEqual([status, appendResult?.queueOffset], ["PUT_OK", next]);
    this.#say("Millrace, made a master, goes on where the broker's queues ended");
  }

  #place(name: string): string {
    return join(this.#directory, name);
  }

  #startBroker(storePathRootDir: string, config: Readonly<Record<string, string | number>>): ChildProgram {
    return this.#programs.startBroker({ storePathRootDir, autoCreateTopicEnable: false, ...SHARED, ...config });
  }

  async #send(producer: ChildProgram, body: string, queueId: number, status: string): Promise<void> {
    const answers = producer.lines.filter((line) => line.split("\t").length === 5).length;
    producer.write([TOPIC, queueId, "", "", "0", "send", body].join("\t"));
    const [answer] = (await producer.expect(/^[A-Z_]+\t/, SECONDS, answers + 1)).slice(-1);
    assert.equal(answer?.split("\t")[0], status, answer);
  }
}

function newOrders(of: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `order ${n} of ${of}`);
}

/** Where the slave's log is not its master's; what the slave does not have yet is nothing but zeros. */
function sameLog(master: string, slave: string): string | undefined {
  const log = storePaths(slave).commitLog;
  for (const name of readdirSync(log).filter((each) => /^\d{20}$/.test(each))) {
    const [theirs, ours] = [join(storePaths(master).commitLog, name), join(log, name)].map((path) => readFileSync(path));
    const at = ours?.findIndex((byte, index) => byte !== theirs?.[index]) ?? -1;
    if (at >= 0) return `segment=${name} at=${at}`;
  }
  return undefined;
}
