import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { encodeDelayArrivals, readDelayArrivals } from "#store/marks/delay-arrivals.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const storage = createStorage({ kind: "real" });

test("what was saved is read; a file that is missing, or has one bit flipped, says nothing", (t) => {
  const path = join(temporaryDirectory(t), "arrivals");
  t.is(readDelayArrivals(storage, path), undefined);
  const arrivals = { savedMs: 1_700_000_000_000, levels: new Map([[3, [[5, 1_699_999_999_000] as const]]]) };
  writeFileSync(path, encodeDelayArrivals(arrivals));
  t.deepEqual(readDelayArrivals(storage, path), arrivals);
  const good = readFileSync(path);
  for (let bit = 0; bit < good.length * 8; bit += 7) {
    const bytes = Buffer.from(good);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    writeFileSync(path, bytes);
    t.is(readDelayArrivals(storage, path), undefined, `bit ${bit}`);
  }
});
