import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FIXTURES_DIRECTORY } from "./fixture-store.js";

/** One thing of a recorded replication between two stores of RocketMQ's. */
export type HaCaptureEvent =
  | { readonly kind: "report"; readonly bytes: Buffer; readonly offset: number }
  | { readonly kind: "transfer"; readonly bytes: Buffer; readonly offset: number; readonly body: Buffer }
  | { readonly kind: "connect" | "cut" }
  /** One past the record that the master has put. */
  | { readonly kind: "put"; readonly end: number };

export const HA_CAPTURE_SEGMENT_SIZE = 1024;
export const HA_CAPTURES = [
  "5-one-by-one",
  "5-reconnect",
  "5-second-slave",
  "4-reconnect",
  "5-roll",
  "4-roll",
  "5-divergence",
] as const;

export function haCapture(name: (typeof HA_CAPTURES)[number]): HaCaptureEvent[] {
  const text = readFileSync(join(FIXTURES_DIRECTORY, "ha-captures", `${name}.txt`), "utf8");
  const events = text.replace(/\n {11,}(?=[0-9a-f]+$)/gm, "").split("\n");
  return events.flatMap((line) => eventOf(line.trim()));
}

function eventOf(line: string): HaCaptureEvent[] {
  const [, direction, hex = ""] = /^[\d.]+ (S>M|M>S) ([0-9a-f]+)$/.exec(line) ?? [];
  if (direction !== undefined) {
    const bytes = Buffer.from(hex, "hex");
    const offset = Number(bytes.readBigInt64BE(0));
    return [
      direction === "S>M" ? { kind: "report", bytes, offset } : { kind: "transfer", bytes, offset, body: bytes.subarray(12) },
    ];
  }
  if (line.endsWith("slave connects")) return [{ kind: "connect" }];
  if (line.endsWith("connection is cut")) return [{ kind: "cut" }];
  const [, offset, length] = /PUT_OK, offset (\d+), (\d+) bytes$/.exec(line) ?? [];
  return offset === undefined ? [] : [{ kind: "put", end: Number(offset) + Number(length) }];
}
