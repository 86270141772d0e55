import type { ProgramMessage } from "./protocol.js";

/** Nothing special about it; each test changes what it is about. */
export const PLAIN_MESSAGE: ProgramMessage = {
  topic: "TopicA",
  queueId: 0,
  body: "",
  properties: [],
  flag: 0,
  sysFlag: 0,
  bornTimestamp: 1_700_000_000_000,
  bornHost: { address: "10.1.2.3", port: 4567 },
  storeHost: { address: "127.0.0.1", port: 10911 },
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
};
