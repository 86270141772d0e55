import type { JavaPeer } from "./java-peer.js";
import type { JavaContestantName, Workload } from "./workload.js";

type JavaCell = Pick<Workload, "messageSize" | "inFlight">;

/** Workloads of RocketMQ's store, one after another in one JVM and one directory: a JVM for each would measure its compiler. */
export interface JavaStoreJob {
  readonly kind: "java-store";
  readonly java: JavaPeer;
  readonly contestant: JavaContestantName;
  readonly durability: Workload["durability"];
  readonly cells: readonly JavaCell[];
  /** Of each measurement. */
  readonly seconds: number;
  readonly directory: string;
}
