import type { PrepareMessageResult, PutMessageResult } from "@millrace/store";
import test from "ava";
import { message, openStore } from "../support/temporary-store.js";

/** What must not compile: each directive is an error itself as soon as the line after it is none. Not called. */
function wrongReads(put: PutMessageResult, prepare: PrepareMessageResult): unknown[] {
  return [
    // @ts-expect-error before the status has been looked at there may be no appendResult
    put.appendResult.msgId,
    // @ts-expect-error what is in the log has no code
    put.status === "PUT_OK" ? put.code.length : 0,
    // @ts-expect-error what was refused has no appendResult
    put.status === "MESSAGE_ILLEGAL" ? put.appendResult.msgId : "",
    // @ts-expect-error RocketMQ's status of a wheel timer that is full
    put.status === "WHEEL_TIMER_FLOW_CONTROL",
    // @ts-expect-error a half message that was refused has no name
    prepare.prepared.queueOffset,
  ];
}

function shown(result: PutMessageResult): string {
  if (result.appendResult !== null) return result.appendResult.msgId;
  const { code, reason }: { code: string; reason: string } = result;
  return `${code} ${reason}`;
}

function halfOffset(result: PrepareMessageResult): number {
  return result.status === "PUT_OK" ? result.prepared.queueOffset : -1;
}

test("the status of a put tells whether its appendResult is there, and the compiler knows it", async (t) => {
  t.is(wrongReads.length, 2);
  const store = await openStore(t, { maxMessageSize: 10 });
  const { status, appendResult } = await store.putMessage(message());
  if (status === "PUT_OK") t.regex(appendResult.msgId, /^[0-9A-F]{32}$/);
  else t.fail(status);
  const tooLarge = message({ body: new Uint8Array(11) });
  t.regex(shown(await store.putMessage(message())), /^[0-9A-F]{32}$/);
  t.regex(shown(await store.putMessage(tooLarge)), /^ERR_BODY_TOO_LARGE ./);
  t.is(halfOffset(await store.prepareMessage(message())), 0);
  t.is(halfOffset(await store.prepareMessage(tooLarge)), -1);
});
