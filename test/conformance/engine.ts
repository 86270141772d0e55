import { join } from "node:path";
import { JAVA_ACCESS, type JavaToolchain, type RocketMqSeries } from "#scripts/bench/java/java-toolchain.js";
import type { WriterTraits } from "./store-model.js";
import { StoreProgram } from "./store-program.js";

/** One of the two stores, with what is peculiar to it. */
export interface Engine {
  readonly name: "millrace" | "rocketmq";
  /** A new process. */
  start(): StoreProgram;
  traits(isPropertyCrc: boolean): WriterTraits;
}

export const MILLRACE: Engine = {
  name: "millrace",
  start: () => new StoreProgram("millrace", process.execPath, ["--expose-gc", join(import.meta.dirname, "millrace-program.js")]),
  traits: (isPropertyCrc) => ({
    isPropertyCrc,
    keepsTrailingSeparator: false,
    stripsDelayed: false,
    propertiesTooLarge: "PROPERTIES_SIZE_EXCEEDED",
  }),
};

/** Starts fast, stays small, keeps its own words off the standard output. */
const JVM = [
  "-Xmx1g",
  "-XX:MaxDirectMemorySize=512m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-XX:-UsePerfData",
  "-XX:+DisplayVMOutputToStderr",
];

export function rocketMq(toolchain: JavaToolchain, series: RocketMqSeries): Engine {
  const classPath = toolchain.classPath(series);
  return {
    name: "rocketmq",
    start: () =>
      new StoreProgram(`rocketmq-${series}`, "java", [
        ...JVM,
        ...JAVA_ACCESS,
        "-cp",
        classPath,
        "millrace.conformance.StoreProgram",
      ]),
    traits: (isPropertyCrc) => ({
      isPropertyCrc: isPropertyCrc && series === "5",
      keepsTrailingSeparator: true,
      stripsDelayed: series === "4.9",
      propertiesTooLarge: series === "4.9" ? "MESSAGE_ILLEGAL" : "PROPERTIES_SIZE_EXCEEDED",
    }),
  };
}
