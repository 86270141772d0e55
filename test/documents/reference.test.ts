import test from "ava";
import { writeReference } from "#scripts/documents/reference.js";

test("every symbol that users import says what it is, and TypeDoc has nothing to complain of", async (t) => {
  t.timeout(300_000);
  t.is(await writeReference(), undefined);
});
