import { strict as assert } from "node:assert";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import type { RocketMqSeries } from "#scripts/bench/java/java-toolchain.js";
import { ChildProgram } from "./child-program.js";
import { consumeEach } from "./consume-each.js";
import { bodiesOf, textOf } from "./queue-bodies.js";
import type { RocketMqPrograms } from "./rocketmq-programs.js";

const TOPIC = "Orders";
const QUEUES = [0, 1, 2, 3];
const GROUP = "billing";
const LEDGER = "ledger";
/** The producers that the broker asks what became of a transaction. */
const PRODUCERS = "order-producers";
/** What both sides must be told alike. Small, so that there are several files of each kind. */
const SHARED = {
  mappedFileSizeCommitLog: 65_536,
  mappedFileSizeConsumeQueue: 400,
  maxHashSlotNum: 100,
  maxIndexNum: 50,
  messageDelayLevel: "1s 5s 25s",
};
const DELAY_LEVEL = 3;
/** RocketMQ 5 only: a message of the timer wheel, which Millrace keeps but does not deliver. */
const TIMER_SECONDS = 75;

/** The steps of the page, in its order. Each throws when something is not as the page says. */
export class BrokerWalk {
  readonly #programs: RocketMqPrograms;
  readonly #series: RocketMqSeries;
  readonly #directory: string;
  readonly #say: (line: string) => void;
  readonly #options: MessageStoreOptions;
  /** Bodies that the group has not read yet. */
  #unread: string[] = [];
  #orders = 0;
  /** The same for a group whose first commit was in Millrace. */
  #unreadOfLedger: string[] = [];

  constructor(programs: RocketMqPrograms, series: RocketMqSeries, directory: string, say: (line: string) => void) {
    this.#programs = programs;
    this.#series = series;
    this.#directory = directory;
    this.#say = say;
    const storeHost = { address: "127.0.0.1", port: programs.brokerPort };
    this.#options = { ...SHARED, storeHost, storePathRootDir: this.#store };
  }

  async run(): Promise<void> {
    const nameServer = await this.#programs.startNameServer();
    await this.#millraceWrites();
    await this.#brokerTakesOver();
    await this.#millraceTakesOver();
    await this.#brokerGoesOn();
    await this.#brokerCrashes();
    await this.#millraceCrashes();
    await this.#everythingIsThere();
    await nameServer.stop("SIGTERM");
    this.#say(`all steps went as the page says, with RocketMQ ${this.#series}`);
  }

  /** Bodies of what waits in the timer wheel, which 4.9 does not have. */
  get #timers(): string[] {
    return this.#series === "5" ? ["timer"] : [];
  }

  get #store(): string {
    return join(this.#directory, "store");
  }

  async #millraceWrites(): Promise<void> {
    const store = await MessageStore.open(this.#options);
    for (const body of this.#newOrders(40)) {
      const n = this.#orders++;
      await this.#put(store, { queueId: n % QUEUES.length, body, keys: `key-${n}`, tags: n % 2 === 0 ? "created" : "paid" });
    }
    for (const queueId of [0, 1, 0, 1]) await store.putMessage({ topic: "Payments", queueId, body: Buffer.from("payment") });
    await this.#put(store, { queueId: 0, body: this.#newOrder("delayed by Millrace"), delayTimeLevel: DELAY_LEVEL });
    const body = Buffer.from(this.#newOrder("decide: prepared by Millrace"));
    await store.prepareMessage({ topic: TOPIC, queueId: 1, body, properties: { PGROUP: PRODUCERS } });
    // Three that the group has done.
    store.consumerOffsets.commit(GROUP, TOPIC, 0, 3);
    for (const n of [0, 4, 8]) this.#read(`order ${n}`);
    this.#say("Millrace wrote 40 orders, 4 payments, a delayed and a prepared message, and the offsets of a group");

    const broker = this.#startBroker();
    const code = await broker.end(120);
    // A broker that runs on is killed, which is -1.
    const isStarted = code <= 0 || broker.lines.some((line) => line.includes("boot success"));
    assert.ok(!isStarted, `the broker must not start while Millrace has the directory: code=${code}\n${broker.lines.join("\n")}`);
    this.#say("a broker cannot start while Millrace has the directory open");
    await store.close();
  }

  async #brokerTakesOver(): Promise<void> {
    this.#programs.writeTopics(this.#store, TOPIC, QUEUES.length);
    const broker = await this.#startedBroker();
    const updated = await this.#programs.admin(
      "updateTopic",
      "-b",
      this.#programs.brokerAddress,
      "-t",
      "Payments",
      "-r",
      "2",
      "-w",
      "2",
    );
    assert.match(updated.join("\n"), /create topic to .* success/);
    this.#say("the broker started in Millrace's directory; it has Orders by topics.json, Payments by mqadmin updateTopic");

    await assert.rejects(MessageStore.open(this.#options), { code: "ERR_STORE_LOCKED" });
    this.#say("Millrace cannot open the directory while the broker has it: ERR_STORE_LOCKED");

    const producer = this.#programs.produce(PRODUCERS);
    await this.#send(producer, { queueId: 0, body: this.#newOrder("sent before the check") });
    await this.#consume("audit", "Payments", ["payment", "payment", "payment", "payment"]);
    await this.#consumeUnread(
      "the group went on where it was: its orders, the delayed one, and the prepared one that its producers committed",
    );
    const found = await this.#programs.admin("queryMsgByKey", "-t", TOPIC, "-k", "key-7");
    const [messageId] = found.map((line) => /^[0-9A-F]{32}/.exec(line)?.[0]).filter((id) => id !== undefined);
    assert.ok(messageId !== undefined, `the broker found nothing by key:\n${found.join("\n")}`);
    const byId = await this.#programs.admin("queryMsgById", ...(this.#series === "5" ? ["-t", TOPIC] : []), "-i", messageId);
    const [, bodyPath] = /Message Body Path: +(\S+)/.exec(byId.join("\n")) ?? [];
    assert.ok(bodyPath !== undefined, `the broker found nothing by id:\n${byId.join("\n")}`);
    assert.equal(readFileSync(bodyPath, "utf8"), "order 7");
    rmSync(bodyPath); // mqadmin leaves it in a place of its own
    this.#say("the broker finds Millrace's messages by key and by id");

    for (const body of this.#newOrders(24)) {
      const n = this.#orders++;
      await this.#send(producer, { queueId: n % QUEUES.length, body, key: `key-${n}` });
    }
    await this.#send(producer, { body: this.#newOrder("committed transaction"), what: "COMMIT_MESSAGE" });
    await this.#send(producer, { body: "rolled back transaction", what: "ROLLBACK_MESSAGE" });
    await this.#send(producer, { body: this.#newOrder("undecided transaction"), what: "UNKNOW" });
    for (const timer of this.#timers) await this.#send(producer, { body: this.#newOrder(timer), delay: `${TIMER_SECONDS}s` });
    await this.#send(producer, { body: this.#newOrder("delayed by the broker"), delay: String(DELAY_LEVEL) });
    producer.endInput();
    await producer.end(60);
    await this.#stop(broker);
    this.#say("the broker took 24 orders, three transactions and delayed messages, and stopped");
  }

  async #millraceTakesOver(): Promise<void> {
    await using store = await MessageStore.open(this.#options);
    const { lastExitOk, cut, rows } = store.recovery;
    assert.deepEqual([lastExitOk, cut], [true, undefined], `recovery was not that of a clean end: rows=${rows}`);
    this.#say(
      `Millrace opened the broker's directory: ${store.recovery.messages} messages scanned, ${store.topics().length} topics`,
    );

    const keys = Array.from({ length: this.#orders }, (_, n) => `key-${n}`);
    const counts = keys.map((key) => store.queryMessage({ topic: TOPIC, key }).messages.length);
    assert.deepEqual(
      counts,
      keys.map(() => 1),
      "each key is found once",
    );
    this.#say("each key of both sides is found once");

    const undecided = [];
    for await (const each of store.undecidedMessages()) undecided.push(each);
    assert.deepEqual(
      undecided.map(({ message }) => textOf(message)),
      ["undecided transaction"],
    );
    for (const { prepared } of undecided) await store.commitMessage(prepared);
    this.#say("the broker's undecided transaction is the only one, and was committed");

    await this.#arrived(store, "delayed by the broker");
    this.#say("the broker's delayed message was delivered when it was due");

    await this.#put(store, { queueId: 2, body: this.#newOrder("put between two lives of the broker") });
    await this.#arrived(store, "put between two lives of the broker");
    const done = await this.#arrived(store, "undecided transaction");
    const read = done.queueOffset + 1;
    store.consumerOffsets.commit(LEDGER, TOPIC, done.queueId, read);
    this.#unreadOfLedger = QUEUES.flatMap((queueId) => this.#bodies(store, queueId).slice(queueId === done.queueId ? read : 0));
    const from = store.consumerOffsets.get(GROUP, TOPIC, 2) ?? assert.fail("the broker's offset of the group is missing");
    const [next] = this.#bodies(store, 2).slice(from);
    store.consumerOffsets.commit(GROUP, TOPIC, 2, from + 1);
    this.#read(next ?? assert.fail("the group has nothing to read in queue 2"));
    this.#say("the offsets of the broker's group were read, and moved on");
  }

  async #brokerGoesOn(): Promise<void> {
    const broker = await this.#startedBroker();
    await this.#consumeUnread(
      "the group went on with the broker, the messages that Millrace delivered, committed and put included",
    );
    await this.#consume(LEDGER, TOPIC, [...this.#unreadOfLedger, ...this.#timers]);
    this.#say("a group that committed in Millrace first went on with the broker where it was");
    const producer = this.#programs.produce(PRODUCERS);
    for (const body of this.#newOrders(10)) {
      this.#orders++;
      await this.#send(producer, { queueId: 1, body });
    }
    producer.endInput();
    await producer.end(60);
    await broker.stop("SIGKILL");
    assert.ok(existsSync(join(this.#store, "abort")));
    this.#say("the broker took 10 more orders, and was killed");
  }

  async #brokerCrashes(): Promise<void> {
    await using store = await MessageStore.open(this.#options);
    assert.equal(store.recovery.lastExitOk, false);
    const bodies = this.#bodies(store, 1);
    for (const body of this.#unread) assert.ok(bodies.includes(body), `lost in the crash: ${body}`);
    this.#say("Millrace recovered the killed broker's directory: all 10 are there");
  }

  async #millraceCrashes(): Promise<void> {
    const bodies = this.#newOrders(10);
    this.#orders += bodies.length;
    const script = join(import.meta.dirname, "crashing-writer.js");
    const args = [script, JSON.stringify(this.#options), JSON.stringify(bodies)];
    const writer = new ChildProgram("crashing writer", process.execPath, args, this.#directory);
    await writer.expect(/^PUT_OK/, 60, bodies.length);
    await writer.stop("SIGKILL");
    const broker = await this.#startedBroker();
    await this.#consumeUnread("the broker recovered the killed Millrace's directory; the group read what both had taken");
    await this.#stop(broker);
  }

  async #everythingIsThere(): Promise<void> {
    await using store = await MessageStore.open(this.#options);
    assert.deepEqual(await store.checkSelf(), []);
    const bodies = QUEUES.flatMap((queueId) => this.#bodies(store, queueId));
    const orders = Array.from({ length: this.#orders }, (_, n) => `order ${n}`);
    for (const order of orders) assert.equal(bodies.filter((body) => body === order).length, 1, `not once: ${order}`);
    for (const queueId of QUEUES) {
      const from = store.consumerOffsets.get(GROUP, TOPIC, queueId) ?? 0;
      assert.deepEqual(this.#bodies(store, queueId).slice(from), [], `the group has not read all: queueId=${queueId}`);
    }
    this.#say(`Millrace has it all, each message once: ${orders.length} orders, ${bodies.length} messages in the topic`);
  }

  #startBroker(): ChildProgram {
    return this.#programs.startBroker({
      brokerClusterName: "MillraceCluster",
      storePathRootDir: this.#store,
      autoCreateTopicEnable: false,
      transactionTimeOut: 3000,
      transactionCheckInterval: 5000,
      ...SHARED,
    });
  }

  async #startedBroker(): Promise<ChildProgram> {
    const broker = this.#startBroker();
    await this.#programs.isServed(broker, TOPIC);
    return broker;
  }

  async #stop(broker: ChildProgram): Promise<void> {
    await broker.stop("SIGTERM");
    assert.ok(!existsSync(join(this.#store, "abort")), "the broker did not end cleanly");
  }

  async #put(
    store: MessageStore,
    { body, ...message }: { queueId: number; body: string; keys?: string; tags?: string; delayTimeLevel?: number },
  ): Promise<void> {
    const { status } = await store.putMessage({ topic: TOPIC, body: Buffer.from(body), ...message });
    assert.equal(status, "PUT_OK");
  }

  async #send(
    producer: ChildProgram,
    {
      queueId = 0,
      key = "",
      delay = "0",
      what = "send",
      body,
    }: { queueId?: number; key?: string; delay?: string; what?: string; body: string },
  ): Promise<void> {
    const form = /^SEND_OK\t/;
    const sent = producer.lines.filter((line) => form.test(line)).length;
    producer.write([TOPIC, queueId, "", key, delay, what, body].join("\t"));
    await producer.expect(form, 60, sent + 1);
  }

  /** The group reads all that it has not read yet, each message once. */
  async #consumeUnread(what: string): Promise<void> {
    await this.#consume(GROUP, TOPIC, this.#unread);
    this.#unread = [];
    this.#say(what);
  }

  #consume(group: string, topic: string, wanted: readonly string[]): Promise<void> {
    return consumeEach(this.#programs, group, topic, wanted, 2 * TIMER_SECONDS);
  }

  async #arrived(store: MessageStore, body: string): Promise<{ queueId: number; queueOffset: number }> {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; await setTimeout(100)) {
      for (const queueId of QUEUES) {
        const queueOffset = this.#bodies(store, queueId).indexOf(body);
        if (queueOffset >= 0) return { queueId, queueOffset };
      }
    }
    return assert.fail(`it did not come: ${body}`);
  }

  #bodies(store: MessageStore, queueId: number): string[] {
    return bodiesOf(store, TOPIC, queueId);
  }

  #newOrders(count: number): string[] {
    return Array.from({ length: count }, (_, n) => this.#newOrder(`order ${this.#orders + n}`));
  }

  #newOrder(body: string): string {
    this.#unread.push(body);
    return body;
  }

  #read(body: string): void {
    this.#unread = this.#unread.filter((each) => each !== body);
  }
}
