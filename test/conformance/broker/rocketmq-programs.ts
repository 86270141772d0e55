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
