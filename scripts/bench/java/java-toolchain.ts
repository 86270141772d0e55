import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { createStorage } from "@millrace/mapped-file";

export type RocketMqSeries = "4.9" | "5";

export const ROCKETMQ_SERIES: readonly RocketMqSeries[] = ["4.9", "5"];

const LEAST_JAVA = 17;
const BUILD_TIMEOUT_MS = 600_000;
const LOCK_POLL_MS = 100;
/** What RocketMQ's unmapping and locking need of a JDK 17. */
export const JAVA_ACCESS = [
  "--add-opens=java.base/java.nio=ALL-UNNAMED",
  "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
  "--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED",
  "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
];

/** JDK and Maven of the machine, and the programs built with them. */
export class JavaToolchain {
  /** The project whose pom has a profile for each series. */
  readonly #project: string;

  constructor(project: string) {
    this.#project = project;
  }

  static #missing: string | undefined;
  static #isSought = false;

  /** Why there is none: undefined when JDK and Maven are there. Looked for once. */
  static missing(): string | undefined {
    if (!JavaToolchain.#isSought) JavaToolchain.#missing = JavaToolchain.#seek();
    JavaToolchain.#isSought = true;
    return JavaToolchain.#missing;
  }

  static #seek(): string | undefined {
    const compiler = spawnSync("javac", ["-version"], { encoding: "utf8" });
    if (compiler.status !== 0 || spawnSync("java", ["-version"]).status !== 0) return "there is no JDK (java, javac)";
    const version = Number(/javac (\d+)/.exec(compiler.stdout + compiler.stderr)?.[1]);
    if (!(version >= LEAST_JAVA)) return `the JDK is older than ${LEAST_JAVA}: version=${version}`;
    if (spawnSync("mvn", ["-v"]).status !== 0) return "there is no Maven (mvn)";
    return undefined;
  }

  /** Whether {@link classPath} has nothing to do, so that a `java` is enough: in a copy that was taken along to a machine with nothing. */
  isBuilt(series: RocketMqSeries): boolean {
    const stampFile = join(this.#target(series), "stamp");
    return existsSync(stampFile) && readFileSync(stampFile, "utf8") === this.#stamp();
  }

  /** Compiles what has changed and downloads what is needed; the class path, ready for `java -cp`. */
  classPath(series: RocketMqSeries): string {
    const target = this.#target(series);
    if (!this.isBuilt(series)) {
      mkdirSync(target, { recursive: true });
      alone(join(target, "lock"), () => {
        if (this.isBuilt(series)) return;
        this.#build(series);
        writeFileSync(join(target, "stamp"), this.#stamp());
      });
    }
    return `${join(target, "classes")}:${readFileSync(join(target, "classpath"), "utf8").trim()}`;
  }

  #target(series: RocketMqSeries): string {
    return join(this.#project, "target", series);
  }

  #build(series: RocketMqSeries): void {
    const args = ["-q", "-B", `-Procketmq-${series}`, "compile"];
    const { status, stdout, stderr } = spawnSync("mvn", args, { cwd: this.#project, encoding: "utf8", timeout: BUILD_TIMEOUT_MS });
    if (status !== 0) throw new Error(`mvn ${args.join(" ")} failed: directory=${this.#project}\n${stdout}\n${stderr}`);
  }

  #stamp(): string {
    const hash = createHash("sha256").update(readFileSync(join(this.#project, "pom.xml")));
    const sources = join(this.#project, "src");
    const files = readdirSync(sources, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const path of files.map((file) => join(file.parentPath, file.name)).sort()) {
      hash.update(relative(sources, path)).update(readFileSync(path));
    }
    return hash.digest("hex");
  }
}

/** Two Mavens in one directory spoil each other's classes, and the test files that need them start at the same time. */
function alone(lockPath: string, work: () => void): void {
  const lock = createStorage({ kind: "real" }).open(lockPath, "create");
  try {
    const sleeper = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    while (!lock.tryLock(0, 1)) Atomics.wait(sleeper, 0, 0, LOCK_POLL_MS);
    work();
  } finally {
    lock.close();
  }
}
