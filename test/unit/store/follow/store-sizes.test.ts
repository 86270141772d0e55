import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { readIndexShape } from "#store/follow/store-sizes.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

test("an index file that cannot be mapped is closed again", (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, "20261128000000000"), "x");
  const storage = createStorage({ kind: "faulty", faults: [{ operation: "map", path: directory, after: 0, code: "ENOMEM" }] });
  const open = storage.open.bind(storage);
  let [opened, closed] = [0, 0];
  storage.open = (path, access) => {
    const file = open(path, access);
    const close = file.close.bind(file);
    opened++;
    file.close = () => {
      closed++;
      close();
    };
    return file;
  };
  t.throws(() => readIndexShape(storage, directory), { code: "ENOMEM" });
  t.deepEqual([opened, closed], [1, 1]);
});
