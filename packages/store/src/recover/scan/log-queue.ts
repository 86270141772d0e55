/** The records of one queue that follow one another in the log. Queue offsets, and absolute offsets in the log. */
export interface LogQueueRun {
  firstQueueOffset: number;
  firstPhysicalOffset: number;
  /** Behind the highest one. */
  nextQueueOffset: number;
  /** Of the record with the highest one. */
  lastPhysicalOffset: number;
}

/** What the log says of one queue. Plain data: it travels between threads. */
export interface LogQueue extends LogQueueRun {
  /** First record that begins at or behind the offset up to which dispatching was durable; -1 without one. */
  newQueueOffset: number;
  newPhysicalOffset: number;
  /**
   * The records from the last one on that has queue offset 0 although others came before it: RocketMQ deleted the topic, and made
   * it again.
   */
  restart: LogQueueRun | undefined;
}

/** A record that takes `count` queue offsets: one, or more for an inner batch. */
export function newLogQueue(queueOffset: number, count: number, physicalOffset: number, isNew: boolean): LogQueue {
  return {
    ...newRun(queueOffset, count, physicalOffset),
    newQueueOffset: isNew ? queueOffset : -1,
    newPhysicalOffset: isNew ? physicalOffset : -1,
    restart: undefined,
  };
}

export function addToLogQueue(queue: LogQueue, queueOffset: number, count: number, physicalOffset: number, isNew: boolean): void {
  if (isNew && queue.newPhysicalOffset < 0) {
    queue.newQueueOffset = queueOffset;
    queue.newPhysicalOffset = physicalOffset;
  }
  if (queue.restart !== undefined) extend(queue.restart, queueOffset + count, physicalOffset);
  if (queueOffset === 0) queue.restart = newRun(queueOffset, count, physicalOffset);
  extend(queue, queueOffset + count, physicalOffset);
}

/** What an earlier part of the log and a later one say together; `earlier` is changed. */
export function joinLogQueues(earlier: LogQueue, later: LogQueue): void {
  if (earlier.newPhysicalOffset < 0) {
    earlier.newQueueOffset = later.newQueueOffset;
    earlier.newPhysicalOffset = later.newPhysicalOffset;
  }
  const { nextQueueOffset, lastPhysicalOffset } = later;
  if (later.restart !== undefined) earlier.restart = later.restart;
  else if (later.firstQueueOffset === 0) earlier.restart = runOf(later);
  else if (earlier.restart !== undefined) extend(earlier.restart, nextQueueOffset, lastPhysicalOffset);
  extend(earlier, nextQueueOffset, lastPhysicalOffset);
}

function newRun(queueOffset: number, count: number, physicalOffset: number): LogQueueRun {
  return {
    firstQueueOffset: queueOffset,
    firstPhysicalOffset: physicalOffset,
    nextQueueOffset: queueOffset + count,
    lastPhysicalOffset: physicalOffset,
  };
}

function runOf({ firstQueueOffset, firstPhysicalOffset, nextQueueOffset, lastPhysicalOffset }: LogQueueRun): LogQueueRun {
  return { firstQueueOffset, firstPhysicalOffset, nextQueueOffset, lastPhysicalOffset };
}

function extend(run: LogQueueRun, nextQueueOffset: number, physicalOffset: number): void {
  if (nextQueueOffset <= run.nextQueueOffset) return;
  run.nextQueueOffset = nextQueueOffset;
  run.lastPhysicalOffset = physicalOffset;
}
