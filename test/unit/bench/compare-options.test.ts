import { UsageError } from "@millrace/cli/usage-error";
import test from "ava";
import { parseCompareRequest } from "#scripts/bench/compare-options.js";

test("two checkouts are compared, with the options of their stores", (t) => {
  const request = parseCompareRequest(["a", "b", "--in-flight", "64", "--options", '{"flushDiskType":"SYNC_FLUSH"}']);
  t.like(request, {
    checkouts: ["a", "b"],
    rounds: 5,
    load: { inFlight: 64, seconds: 2, options: { flushDiskType: "SYNC_FLUSH" } },
  });
  t.is(parseCompareRequest(["--help"]), undefined);
});

test("a comparison of one checkout, or of three, or with options that are none, is refused", (t) => {
  for (const args of [
    ["a"],
    ["a", "b", "c"],
    ["a", "b", "--options", "{"],
    ["a", "b", "--rounds", "0"],
    ["a", "b", "--nosuchthing"],
  ]) {
    t.throws(() => parseCompareRequest(args), { instanceOf: UsageError }, args.join(" "));
  }
});
