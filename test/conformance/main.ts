/** `npm run test:conformance`: arguments, then the tests of this folder. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROCKETMQ_SERIES, type RocketMqSeries } from "#scripts/bench/java/java-toolchain.js";
import { projectRoot } from "../support/project-root.js";
import { CONFORMANCE_DIRECTIONS, conformanceEnvironment, type Direction } from "./conformance-choice.js";
import { MISSING_VARIABLE, prepareRocketMq } from "./rocketmq-preparation.js";

const SERIES = ROCKETMQ_SERIES.join("|");
const DIRECTIONS = CONFORMANCE_DIRECTIONS.join("|");
const USAGE = `npm run test:conformance -- [--seeds N] [--from K] [--rocketmq ${SERIES}] [--direction ${DIRECTIONS}]`;

function fail(reason: string): never {
  process.stderr.write(`${reason}\n${USAGE}\n`);
  process.exit(2);
}

function number(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) fail(`a number is needed: --${name} ${text}`);
  return Number(text);
}

function oneOf<T extends string>(name: string, text: string, values: readonly T[]): readonly T[] {
  const value = values.find((candidate) => candidate === text);
  return value === undefined ? fail(`there is no such choice: --${name} ${text}`) : [value];
}

function parsed(): Parameters<typeof conformanceEnvironment>[0] {
  const option = { type: "string" } as const;
  const { seeds, from, rocketmq, direction } = parseArgs({
    options: { seeds: option, from: option, rocketmq: option, direction: option },
  }).values;
  return {
    ...(seeds === undefined ? {} : { count: number("seeds", seeds), pairCount: number("seeds", seeds) }),
    ...(from === undefined ? {} : { from: number("from", from) }),
    ...(rocketmq === undefined ? {} : { series: oneOf<RocketMqSeries>("rocketmq", rocketmq, ROCKETMQ_SERIES) }),
    ...(direction === undefined ? {} : { directions: oneOf<Direction>("direction", direction, CONFORMANCE_DIRECTIONS) }),
  };
}

let choice: ReturnType<typeof parsed> = {};
try {
  choice = parsed();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
const missing = prepareRocketMq();
const root = projectRoot();
const ava = join(root, "node_modules", "ava", "entrypoints", "cli.mjs");
const { status } = spawnSync(process.execPath, [ava, "test/dist/conformance/*.test.js"], {
  cwd: root,
  env: { ...conformanceEnvironment(choice), ...(missing === undefined ? {} : { [MISSING_VARIABLE]: missing }) },
  stdio: "inherit",
});
process.exitCode = status ?? 1;
