import test from "ava";
import { parseBenchRequest } from "#scripts/bench/bench-request.js";
import { FIGURES } from "#scripts/bench/figures/figures.js";

test("--only takes every figure, a workload, a contestant, and parts of their names", (t) => {
  for (const name of [...FIGURES.map((figure) => figure.name), "disk/1024/64/lmdb", "raw", "consume-get/java", "page-cache"]) {
    t.deepEqual(parseBenchRequest(["--only", name]).only, [name]);
  }
});

test("--only refuses what nothing has in its name, with the names", (t) => {
  const { message } = t.throws(() => parseBenchRequest(["--only", "roll,nosuchthing"])) as Error;
  t.regex(message, /--only=nosuchthing/);
  for (const name of [...FIGURES.map((figure) => figure.name), "consume-get/lmdb", "store-mapped"])
    t.true(message.includes(name), name);
});

test("an option that does not exist is refused", (t) => {
  t.throws(() => parseBenchRequest(["--nosuchthing"]), { message: /nosuchthing/ });
});
