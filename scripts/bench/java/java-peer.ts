import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { JAVA_ACCESS, JavaToolchain, type RocketMqSeries } from "./java-toolchain.js";

const PROJECT = fileURLToPath(new URL("../../../bench/java/", import.meta.url));
const MAIN_CLASS = "millrace.bench.BenchProgram";

/**
 * As in runbroker.sh, but for the heap: 2 GiB instead of 8, which is ample for garbage that dies at once, and is touched in a second.
 * RocketMQ's pool is 5 segments beside it, 1.25 GiB here.
 */
const JVM_FLAGS = [
  "-Xms2g",
  "-Xmx2g",
  "-XX:+UseG1GC",
  "-XX:G1HeapRegionSize=16m",
  "-XX:G1ReservePercent=25",
  "-XX:InitiatingHeapOccupancyPercent=30",
  "-XX:+AlwaysPreTouch",
  "-XX:MaxDirectMemorySize=2g",
];

/** How RocketMQ's store is started under the bench; the arguments of its program come behind `args`. */
export interface JavaPeer {
  readonly command: string;
  readonly args: readonly string[];
  /** Of RocketMQ and of Java. */
  readonly version: string;
}

/** As in the name of its jar; the series when there is none in the class path. @forTests */
export function storeVersion(classPath: string, series: RocketMqSeries): string {
  return /rocketmq-store-(\d+(?:\.\d+)*)\.jar/.exec(classPath)?.[1] ?? series;
}

/** Compiled and ready, or in words why it cannot be had. */
export function findJavaPeer(series: RocketMqSeries): JavaPeer | string {
  const toolchain = new JavaToolchain(PROJECT);
  const missing = toolchain.isBuilt(series) ? undefined : JavaToolchain.missing();
  if (missing !== undefined) return missing;
  let classPath: string;
  try {
    classPath = toolchain.classPath(series);
  } catch (error) {
    return (error as Error).message;
  }
  const java = /version "([^"]+)"/.exec(spawnSync("java", ["-version"], { encoding: "utf8" }).stderr ?? "")?.[1];
  if (java === undefined) return "there is no java";
  return {
    command: "java",
    args: [...JVM_FLAGS, ...JAVA_ACCESS, "-cp", classPath, MAIN_CLASS],
    version: `${storeVersion(classPath, series)} on Java ${java}`,
  };
}
