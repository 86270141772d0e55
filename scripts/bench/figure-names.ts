/** All that is measured beside the workloads (`disk/1024/64/lmdb`), by the name that `--only` takes, with what it tells. */
export const FIGURES = {
  seed: "a million lines written with a mapping, a stream, writeSync",
  roll: "puts while segments are changed",
  "event-loop": "how long the event loop keeps others waiting while puts come",
  memory: "bytes of the process after millions of messages",
  "consume-get": "messages read, contestant by contestant (consume-get/lmdb is one of them)",
  "dispatch-lag": "from the put to the moment when it can be read",
  "dispatch-keep-up": "a log as long as --gib, dispatched at full speed",
  recovery: "opening after a crash",
  "with-dispatch": "puts with and without the dispatcher",
  "java-store": "RocketMQ's store beside ours",
} as const;
