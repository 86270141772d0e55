import test from "ava";
import { nearestName } from "#format/nearest-name.js";

const KNOWN = ["warmMapedFileEnable", "flushDiskType", "maxIndexNum", "maxHashSlotNum", "tags"];

test("a letter or two that are wrong, missing, too many or swapped lead to the name that was meant", (t) => {
  const meant = {
    warmMappedFileEnable: "warmMapedFileEnable",
    warmMapedFileEnabled: "warmMapedFileEnable",
    flushDisktype: "flushDiskType",
    flsuhDiskTpye: "flushDiskType",
    maxIndexNumber: undefined,
    tag: "tags",
    toString: undefined,
    "": undefined,
  };
  for (const [name, nearest] of Object.entries(meant)) t.is(nearestName(name, KNOWN), nearest, name);
});
