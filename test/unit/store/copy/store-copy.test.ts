import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { resolveConfig } from "#store/config/message-store-config.js";
import { StoreCopy } from "#store/copy/store-copy.js";
import { ScanProgress } from "#store/recover/scan/scan-progress.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

test("a file of config that is replaced between the listing and its copy is copied whole, and one that goes is left out", (t) => {
  const [from, to] = [temporaryDirectory(t), temporaryDirectory(t)];
  const source = storePaths(from);
  mkdirSync(source.config);
  for (const name of ["gone", "longer", "shorter", "shorter.tmp"]) writeFileSync(join(source.config, name), "0123456789");
  const storage = createStorage({ kind: "real" });
  const list = storage.list.bind(storage);
  storage.list = (directory) => {
    const entries = list(directory);
    if (directory === source.config) {
      writeFileSync(join(source.config, "longer"), "0123456789 and more");
      writeFileSync(join(source.config, "shorter"), "0123");
      rmSync(join(source.config, "gone"));
    }
    return entries;
  };
  const target = storePaths(to);
  new StoreCopy(storage, resolveConfig({}), source, target, new ScanProgress()).copyConfig();
  t.deepEqual(readdirSync(target.config), ["longer", "shorter"]);
  t.is(readFileSync(join(target.config, "longer"), "utf8"), "0123456789 and more");
  t.is(readFileSync(join(target.config, "shorter"), "utf8"), "0123");
});
