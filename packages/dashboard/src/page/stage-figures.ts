import type { PipelineFigures } from "../sample/frame.js";
import type { StageName } from "../sample/limit.js";
import { bytes, count, duration, NOTHING, percent, rate } from "./number-format.js";

/** What a stage of the picture shows. */
export interface StageFigures {
  /** The figure that says most, and what it is of. */
  readonly value: string;
  readonly unit: string;
  /** A level from 0 to 1 with its name; undefined where nothing has a limit. */
  readonly level: { readonly name: string; readonly fill: number } | undefined;
  readonly lines: readonly (readonly [label: string, value: string])[];
}

/** In the order of a message's way. */
export const STAGES: readonly { readonly name: StageName; readonly title: string; readonly about: string }[] = [
  { name: "producers", title: "Producers", about: "put messages, and wait for their acknowledgement" },
  { name: "ring", title: "Ring", about: "records on their way from the producers to the appender" },
  { name: "append", title: "Append", about: "one thread gives records their place in the log" },
  { name: "force", title: "Force", about: "makes the log durable" },
  { name: "dispatch", title: "Dispatch", about: "enters records into ConsumeQueues and index, for readers" },
  { name: "allocate", title: "Allocate", about: "makes bytes ready ahead of the appender" },
];

type Figures = { readonly [S in StageName]: (pipeline: PipelineFigures) => StageFigures };

const FIGURES: Figures = {
  producers: ({ put }) => ({
    value: rate(put.perSecond),
    unit: "msg/s",
    level: undefined,
    lines: [
      ["data", `${bytes(put.bytesPerSecond)}/s`],
      ["in flight", count(put.inFlight)],
      ["put to ack p50", duration(put.ackUs.p50)],
      ["p99", duration(put.ackUs.p99)],
      ["refused", `${rate(put.failedPerSecond)}/s`],
    ],
  }),
  ring: ({ ring, append }) => {
    const fill = Math.max(ring.usedBytes / ring.capacityBytes, ring.usedFrames / ring.capacityFrames);
    return {
      value: percent(fill),
      unit: "full",
      level: { name: "fill", fill },
      lines: [
        ["records", `${count(ring.usedFrames)} of ${count(ring.capacityFrames)}`],
        ["waiting puts", count(ring.waiting)],
        ["time in it p50", duration(append.putToAppendUs.p50)],
        ["p99", duration(append.putToAppendUs.p99)],
        ["found full", `${rate(ring.stallsPerSecond)}/s`],
      ],
    };
  },
  append: ({ append }) => ({
    value: rate(append.perSecond),
    unit: "msg/s",
    level: undefined,
    lines: [
      ["data", `${bytes(append.bytesPerSecond)}/s`],
      ["groups", `${rate(append.groupsPerSecond)}/s`],
      ["messages a group", append.groupsPerSecond === 0 ? NOTHING : rate(append.perSecond / append.groupsPerSecond)],
    ],
  }),
  force: ({ force }) => ({
    value: rate(force.perSecond),
    unit: "forces/s",
    level: { name: "busy", fill: force.busy },
    lines: [
      ["busy", percent(force.busy)],
      ["not durable", bytes(force.undurableBytes)],
      ["a force p50", duration(force.forceUs.p50)],
      ["p99", duration(force.forceUs.p99)],
      ["data", `${bytes(force.bytesPerSecond)}/s`],
    ],
  }),
  dispatch: ({ dispatch }) => ({
    value: rate(dispatch.perSecond),
    unit: "msg/s",
    level: undefined,
    lines: [
      ["waiting", `${count(dispatch.behindMessages)} msg`],
      ["data", bytes(dispatch.behindBytes)],
      ["late by", duration(dispatch.lateMs * 1000)],
    ],
  }),
  allocate: ({ allocate }) => ({
    value: bytes(allocate.readyBytes),
    unit: "ready",
    level: undefined,
    lines: [
      ["segments ready", count(allocate.segmentsReady)],
      ["appender waited", `${rate(allocate.stallsPerSecond)}/s`],
      ["a segment p50", duration(allocate.allocateUs.p50)],
      ["p99", duration(allocate.allocateUs.p99)],
    ],
  }),
};

export function stageFigures(name: StageName, pipeline: PipelineFigures): StageFigures {
  return FIGURES[name](pipeline);
}
