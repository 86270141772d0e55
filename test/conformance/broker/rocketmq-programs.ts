import { strict as assert } from "node:assert";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { JAVA_ACCESS, JavaToolchain, type RocketMqSeries } from "#scripts/bench/java/java-toolchain.js";
import { ChildProgram } from "./child-program.js";

/** test/dist/conformance/broker → test/conformance/broker */
const SOURCES = join(import.meta.dirname, "..", "..", "..", "conformance", "broker");
const OWN = "millrace.conformance.broker";

/** Downloads RocketMQ and compiles the two clients, the only step that needs the network; the class path. */
export function buildPrograms(series: RocketMqSeries): string {
  return new JavaToolchain(SOURCES).classPath(series);
}

/** The name server, the broker, its tools and the two clients of one version, in a directory of their own. */
export class RocketMqPrograms {
  readonly nameServerAddress: string;
  readonly brokerAddress: string;
  readonly brokerPort: number;
  readonly #directory: string;
  readonly #nameServerPort: number;
  readonly #java: readonly string[];

  /** @param port the first of those that are used: up to 30 more */
  constructor(series: RocketMqSeries, directory: string, port: number) {
    this.#directory = directory;
    this.#nameServerPort = port;
    this.nameServerAddress = `127.0.0.1:${port}`;
    this.brokerPort = port + 11;
    this.brokerAddress = `127.0.0.1:${this.brokerPort}`;
    const home = join(directory, "home");
    mkdirSync(join(home, "conf"), { recursive: true });
    // 4.9 does not start without.
    for (const name of ["namesrv", "broker", "tools"]) writeFileSync(join(home, "conf", `logback_${name}.xml`), "<configuration/>");
    const places = [`-Duser.home=${home}`, `-Drocketmq.home.dir=${home}`];
    this.#java = [...JAVA_ACCESS, ...places, "-Xms512m", "-Xmx1g", "-cp", buildPrograms(series)];
  }

  async startNameServer(): Promise<ChildProgram> {
    const file = this.#configFile("namesrv.conf", { listenPort: this.#nameServerPort, bindAddress: "127.0.0.1" });
    const nameServer = this.#start("name server", "org.apache.rocketmq.namesrv.NamesrvStartup", ["-c", file]);
    await nameServer.expect(/boot success/, 60);
    return nameServer;
  }

  /** @param config lines of broker.conf, beside the addresses */
  startBroker(config: Readonly<Record<string, string | number | boolean>>): ChildProgram {
    const file = this.#configFile("broker.conf", {
      brokerName: "broker-a",
      brokerIP1: "127.0.0.1",
      bindAddress: "127.0.0.1",
      listenPort: this.brokerPort,
      haListenPort: this.brokerPort + 1,
      namesrvAddr: this.nameServerAddress,
      ...config,
    });
    return this.#start("broker", "org.apache.rocketmq.broker.BrokerStartup", ["-c", file]);
  }

  /** Until a broker has started, and the name server has heard of its topic, which is a little later. */
  async isServed(broker: ChildProgram, topic: string): Promise<void> {
    await broker.expect(/boot success/, 120);
    for (const deadline = Date.now() + 60_000; ; ) {
      const route = await this.admin("topicRoute", "-t", topic);
      if (route.some((line) => line.includes(this.brokerAddress))) return;
      assert.ok(Date.now() < deadline, `the name server knows no broker of ${topic}:\n${route.join("\n")}`);
    }
  }

  /** What a broker knows of topics, in a store directory before it starts there. */
  writeTopics(directory: string, topicName: string, queues: number): void {
    const topic = {
      topicName,
      readQueueNums: queues,
      writeQueueNums: queues,
      perm: 6,
      topicFilterType: "SINGLE_TAG",
      topicSysFlag: 0,
    };
    mkdirSync(join(directory, "config"), { recursive: true });
    const content = { topicConfigTable: { [topicName]: { ...topic, order: false } } };
    writeFileSync(join(directory, "config", "topics.json"), JSON.stringify(content));
  }

  /** RocketMQ's `bin/mqadmin`. Its lines. */
  async admin(...args: string[]): Promise<string[]> {
    const program = this.#start("mqadmin", "org.apache.rocketmq.tools.command.MQAdminStartup", [
      ...args,
      "-n",
      this.nameServerAddress,
    ]);
    await program.end(60);
    return program.lines;
  }

  produce(group: string): ChildProgram {
    return this.#start("ProduceTopic", `${OWN}.ProduceTopic`, [this.nameServerAddress, group]);
  }

  consume(group: string, topic: string, count: number, seconds: number): ChildProgram {
    const args = [this.nameServerAddress, group, topic, String(count), String(seconds)];
    return this.#start("ConsumeTopic", `${OWN}.ConsumeTopic`, args);
  }

  #start(name: string, mainClass: string, args: readonly string[]): ChildProgram {
    return new ChildProgram(name, "java", [...this.#java, mainClass, ...args], this.#directory);
  }

  #configFile(name: string, entries: Readonly<Record<string, string | number | boolean>>): string {
    const path = join(this.#directory, name);
    const lines = Object.entries(entries).map(([key, value]) => `${key}=${value}\n`);
    writeFileSync(path, lines.join(""));
    return path;
  }
}
