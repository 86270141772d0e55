import test from "ava";
import { checkBody, READ_MESSAGE_SIZE, ReadPass, readBodies } from "#scripts/bench/contestants/read-contestant.js";

const MESSAGES = 300;
const PAST_US = 0;

function readInOrder(count: number, bodies: readonly Uint8Array[] = [...readBodies(MESSAGES)]): ReadPass {
  const pass = new ReadPass(MESSAGES, Number.POSITIVE_INFINITY);
  for (let i = 0; i < count; i++) pass.take(bodies[pass.next] as Uint8Array);
  return pass;
}

test("a pass over all messages in order, once or again, is right", (t) => {
  for (const count of [1, MESSAGES, 2 * MESSAGES + 7]) {
    const pass = readInOrder(count);
    t.notThrows(() => pass.check());
    t.is(pass.next, count % MESSAGES);
  }
});

test("a pass that read nothing, or other bodies, is not", (t) => {
  t.throws(() => readInOrder(0).check());
  const bodies = [...readBodies(MESSAGES)];
  t.throws(() => readInOrder(MESSAGES, bodies.with(5, bodies[6] as Buffer)).check());
  t.throws(() => readInOrder(MESSAGES, bodies.with(5, Buffer.alloc(READ_MESSAGE_SIZE - 1))).check());
});

test("a pass ends at its deadline, also when nothing more is read", (t) => {
  const pass = new ReadPass(MESSAGES, PAST_US);
  t.true(pass.isOver);
  const stuck = new ReadPass(MESSAGES, PAST_US);
  const [body] = readBodies(1);
  stuck.take(body as Buffer);
  t.true(stuck.isOver || stuck.isOver);
});

test("a body is checked by its length and its low byte", (t) => {
  const bodies = [...readBodies(MESSAGES)];
  t.deepEqual(
    [0, 5, 257].map((number) => checkBody(bodies[number])),
    [0, 5, 1],
  );
  t.is(checkBody(undefined), -1);
});
