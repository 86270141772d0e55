import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { SERVICE_NAMES, SERVICES } from "#store/pipeline/services.js";
import { compiledStamp } from "#store/pipeline/worker-bundle.js";
import { bundledStore } from "../support/bundled-store.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

test("a store lives with threads that load one file each, where the set-up has made these", async (t) => {
  const script = join(import.meta.dirname, "bundled-life.js");
  const env = { ...process.env, NODE_OPTIONS: "" };
  const { stdout } = await promisify(execFile)(process.execPath, [script, temporaryDirectory(t)], { env });
  const { workers, lives } = JSON.parse(stdout) as { workers: string[]; lives: object[] };
  const bundled = workers.filter((worker) => worker.includes("/bundled/"));
  t.log(`bundled=${bundled.length}`); // none after a compilation without the set-up
  t.true(bundled.length === 0 || bundled.length === workers.length);
  if (bundled.length > 0) t.true(bundled.every((path) => existsSync(path)));
  t.deepEqual(lives, [
    { found: 200, byKey: 1, corrupt: 0 },
    { found: 400, byKey: 1, corrupt: 0 },
  ]);
});

test("what decides whether the files are fresh is what was compiled, not when", (t) => {
  t.regex(compiledStamp(), /^(?:[0-9a-f]+ ){5}[0-9a-f]+$/);
});

test("who hooks into the loading of modules gets modules; these tests do not, and get what users get", async (t) => {
  const script = join(import.meta.dirname, "bundled-life.js");
  const args = ["--import=data:text/javascript,", script, temporaryDirectory(t)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { workers, lives } = JSON.parse(stdout) as { workers: string[]; lives: object[] };
  t.deepEqual(
    workers,
    SERVICE_NAMES.map((name) => SERVICES[name].worker.pathname),
  );
  t.is(lives.length, 2);
  t.false(process.execArgv.some((flag) => /^--(import|require|loader)/.test(flag)));
});

test("what users import, and what their threads begin with, finds no part of piscina elsewhere", async (t) => {
  const flags = bundledStore();
  if (flags.length === 0) {
    t.pass("compiled since the set-up");
    return;
  }
  const program = `
    import { createRequire } from "node:module";
    import { Worker } from "node:worker_threads";
    import { MessageStore } from "@millrace/store";
    const files = [];
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (message, ...rest) {
      files.push(message.filename);
      return postMessage.call(this, message, ...rest);
    };
    const store = await MessageStore.open({ storePathRootDir: process.argv[1] });
    await store.putMessage({ topic: "TopicA", queueId: 0, body: Buffer.from("a") });
    const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes("piscina"));
    console.log(JSON.stringify({ files, loaded }));
    await store.close();`;
  const args = [...flags, "--input-type=module", "-e", program, temporaryDirectory(t)];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: import.meta.dirname,
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  const { files, loaded } = JSON.parse(stdout) as { files: string[]; loaded: string[] };
  t.is(files.length, SERVICE_NAMES.length);
  t.deepEqual(loaded, []);
});
