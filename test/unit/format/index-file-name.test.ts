import { indexFileName, isIndexFileName } from "@millrace/format";
import test from "ava";

const NOW = new Date(2026, 10, 20, 18, 35, 19, 54);

test("an index file is named by the local time in which it is made", (t) => {
  t.is(indexFileName(NOW, undefined), "20261120183519054");
  t.is(indexFileName(NOW, "20261120183519053"), "20261120183519054");
});

test("a name is always behind the newest one, whatever the clock does", (t) => {
  t.is(indexFileName(NOW, "20261120183519054"), "20261120183519055");
  t.is(indexFileName(NOW, "20261231235959999"), "20270101000000000");
  t.is(indexFileName(NOW, "20280228235959999"), "20280229000000000");
  for (const noDate of ["20269999999999999", "20260000000000000", "29990230000000000", "99991231235959998"]) {
    const next = indexFileName(new Date(0), noDate);
    t.true(next > noDate, next);
    t.true(isIndexFileName(next), next);
  }
});

test("only seventeen digits name an index file", (t) => {
  t.true(isIndexFileName("20261120183519054"));
  for (const name of ["", "2026112018351905", "202611201835190541", "2026112018351905x", "20261120183519054.tmp"])
    t.false(isIndexFileName(name), name);
});
