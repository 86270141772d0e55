import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { type MessageStoreConfig, resolveConfig } from "#store/config/message-store-config.js";
import { projectRoot } from "../support/project-root.js";

const source = readFileSync(join(projectRoot(), "packages/store/src/config/message-store-options.ts"), "utf8");
const OPTION = /^(?: {2}\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)? {2}readonly (\w+)\?:/gm;
/** Where the default follows from another option, or is not printed as it is written in the code. */
const IN_WORDS = [
  "storePathRootDir",
  "storePathCommitLog",
  "storeHost",
  "commitLogDispatchers",
  "haListenAddress",
  "haPeers",
  "haMasterAddress",
  "signal",
  "onRecoveryProgress",
  "logger",
];

test("each option's comment says its default, as it is in force", (t) => {
  const defaults: MessageStoreConfig = resolveConfig({});
  const options = [...source.matchAll(OPTION)];
  t.true(options.length > 50);
  for (const [, comment = "", name = ""] of options) {
    const [, text = ""] = /Default:? `?([^.`(]+)/.exec(comment) ?? [];
    t.not(text, "", name);
    if (IN_WORDS.includes(name)) continue;
    const value = defaults[name as keyof MessageStoreConfig];
    t.is(
      text
        .trim()
        .replace(/(?<=\d),(?=\d)/g, "")
        .split(",")[0],
      String(value),
      name,
    );
  }
});
