import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ChildProgram } from "./child-program.js";

export type Series = "4.9" | "5";

/** test/dist/conformance/broker → test/conformance/broker */
const SOURCES = join(import.meta.dirname, "..", "..", "..", "conformance", "broker");
const OWN = "millrace.conformance.broker";

/** What RocketMQ's own code reaches into, on a JDK of today. */
const OPENED = ["java.nio", "sun.nio.ch", "jdk.internal.ref"].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);

/** Why the programs cannot be had on this machine; undefined when they can. */
export function missingTool(): string | undefined {
  return ["java", "mvn"].find((tool) => spawnSync(tool, ["-version"], { stdio: "ignore" }).status !== 0);
}

/** Downloads RocketMQ and compiles the two clients; the only step that needs the network. */
export function buildPrograms(series: Series): void {
  const args = ["-B", "-q", "-f", join(SOURCES, "pom.xml"), `-Procketmq-${series}`, "compile"];
  const { status, stdout } = spawnSync("mvn", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`Maven failed:\n${stdout.split("\n").slice(0, 10).join("\n")}`);
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
  constructor(series: Series, directory: string, port: number) {
    const target = join(SOURCES, "target", series);
    const classpath = `${join(target, "classes")}:${readFileSync(join(target, "classpath"), "utf8")}`;
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
    this.#java = [...OPENED, ...places, "-Xms512m", "-Xmx1g", "-cp", classpath];
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
