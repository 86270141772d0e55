import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { readCheckedFile, writeCheckedFile } from "#store/marks/checked-file.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const storage = createStorage({ kind: "real" });
const KIND = { magic: 0x54455354, version: 3 };

test("what was written is read back; a missing file is missing", (t) => {
  const path = join(temporaryDirectory(t), "file");
  t.deepEqual(readCheckedFile(storage, path, KIND), { state: "missing" });
  for (const length of [0, 1, 5000]) {
    const payload = new Uint8Array(length).fill(7);
    writeCheckedFile(storage, path, KIND, payload);
    const content = readCheckedFile(storage, path, KIND);
    t.is(content.state, "good");
    t.deepEqual(content.state === "good" ? Uint8Array.from(content.payload) : undefined, payload);
  }
});

test("every flipped bit and every lost or added byte is damage, as is a file of another kind or version", (t) => {
  const path = join(temporaryDirectory(t), "file");
  writeCheckedFile(storage, path, KIND, new TextEncoder().encode('{"a":1}'));
  const good = readFileSync(path);
  for (let bit = 0; bit < 8 * good.length; bit++) {
    const bytes = Buffer.from(good);
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
    writeFileSync(path, bytes);
    t.is(readCheckedFile(storage, path, KIND).state, "damaged", `bit=${bit}`);
  }
  for (let length = 0; length < good.length; length++) {
    writeFileSync(path, good.subarray(0, length));
    t.is(readCheckedFile(storage, path, KIND).state, "damaged", `length=${length}`);
  }
  writeFileSync(path, Buffer.concat([good, Buffer.alloc(1)]));
  t.is(readCheckedFile(storage, path, KIND).state, "damaged");
  writeFileSync(path, good);
  t.is(readCheckedFile(storage, path, { ...KIND, version: 4 }).state, "damaged");
  t.is(readCheckedFile(storage, path, { ...KIND, magic: 1 }).state, "damaged");
  t.is(readCheckedFile(storage, path, KIND).state, "good");
});

test("a directory in its place, a file of a terabyte and a disk that cannot read it are damage, and read at once", (t) => {
  const path = join(temporaryDirectory(t), "file");
  mkdirSync(path);
  t.is(readCheckedFile(storage, path, KIND).state, "damaged");
  rmSync(path, { recursive: true });
  writeFileSync(path, "");
  truncateSync(path, 2 ** 40);
  t.is(readCheckedFile(storage, path, KIND).state, "damaged");
  writeCheckedFile(storage, path, KIND, new Uint8Array(1));
  const fault = { operation: "read", path: "file", after: 0, times: 1 } as const;
  const eio = createStorage({ kind: "faulty", faults: [{ ...fault, code: "EIO" }] });
  t.is(readCheckedFile(eio, path, KIND).state, "damaged");
  const emfile = createStorage({ kind: "faulty", faults: [{ ...fault, code: "EMFILE" }] });
  t.throws(() => readCheckedFile(emfile, path, KIND), { code: "EMFILE" });
});
