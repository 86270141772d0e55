import { setImmediate } from "node:timers/promises";
import type { MessageStore } from "@millrace/store";
import test from "ava";
import { ToldDamage } from "./told-damage.js";

test("a queue is not right before its own file is built again, whatever else was", async (t) => {
  const listeners = new Map<string, (event: { readonly path: string }) => void>();
  const on = (name: string, listener: (event: { readonly path: string }) => void): unknown => listeners.set(name, listener);
  const told = new ToldDamage({ recovery: { corrupt: [], minOffset: 0 }, on } as unknown as MessageStore, 0);
  const rebuilt = (path: string): void => listeners.get("rebuilt")?.({ path });
  rebuilt("/s/index/20261128");
  rebuilt("/s/consumequeue/paid/11/00000000000000000000");
  let isOver = false;
  const waiting = told.areRebuilt(["paid-1"]).then((isRight) => {
    isOver = true;
    return isRight;
  });
  await setImmediate();
  t.false(isOver);
  rebuilt("/s/consumequeue/paid/1/00000000000000000400");
  t.true(await waiting);
});
