import test from "ava";
import type { PutAnswer } from "./protocol.js";
import { rollForgiven } from "./roll-forgiven.js";

const SIZE = 4096;

function answersAt(...puts: (readonly [offset: number, status: string])[]): PutAnswer[] {
  return puts.map(([offset, status]) => ({ offset, status }));
}

test("4.9's FLUSH_DISK_TIMEOUT is forgiven behind a roll, until a put was forced in the new segment, and nowhere else", (t) => {
  const places = [0, 2000, SIZE, SIZE + 500, SIZE + 1000, SIZE + 1500];
  const answers = answersAt(...places.map((offset) => [offset, "PUT_OK"] as const));
  const [ok, late] = ["PUT_OK", "FLUSH_DISK_TIMEOUT"];
  const statuses = [ok, late, late, late, ok, late];
  const twins = answersAt(...places.map((offset, index) => [offset, statuses[index] ?? ""] as const));
  t.deepEqual(
    rollForgiven(answers, twins, SIZE).map(({ status }) => status),
    [ok, late, ok, ok, ok, late],
  );
});

test("the first put of a log has no roll before it, and other answers are compared as they are", (t) => {
  const twins = answersAt([0, "FLUSH_DISK_TIMEOUT"], [SIZE, "MESSAGE_ILLEGAL"]);
  t.deepEqual(rollForgiven(answersAt([0, "PUT_OK"], [SIZE, "PUT_OK"]), twins, SIZE), twins);
  const both = answersAt([0, "PUT_OK"], [SIZE, "FLUSH_DISK_TIMEOUT"]);
  t.deepEqual(rollForgiven(both, both, SIZE), both);
});
