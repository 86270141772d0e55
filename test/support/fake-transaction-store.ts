import { encodeHost } from "@millrace/format";
import type { Message, MillraceError, PutMessageResult } from "@millrace/store";
import type { TransactionProgress, TransactionStore } from "#store/broker/transaction/transaction-store.js";
import { AppendMessageResult } from "#store/put/put-message-result.js";
import { MessageView } from "#store/read/message-view.js";
import { CommitLogBuilder } from "./commit-log-builder.js";
import { FakeQueue } from "./fake-schedule-store.js";
import { formatProperties } from "./property-string.js";

const SEGMENT_SIZE = 1024 * 1024;

/** A store in memory, whose puts a test can refuse and whose forces it decides. */
export class FakeTransactionStore implements TransactionStore, TransactionProgress {
  flushedOffset = 0;
  /** Puts into this topic are refused with this. */
  refusal: { readonly topic: string; readonly error: MillraceError } | undefined;
  /** By topic. */
  readonly noted = new Map<string, number>();
  readonly queues = new Map<string, FakeQueue>();
  readonly #builder = new CommitLogBuilder(SEGMENT_SIZE);

  get maxPhysicalOffset(): number {
    return this.#builder.offset;
  }

  get readableOffset(): number {
    return this.#builder.offset;
  }

  consumeQueue(topic: string, queueId: number): FakeQueue | undefined {
    return this.queues.get(`${topic}-${queueId}`);
  }

  message(physicalOffset: number, size?: number): MessageView | undefined {
    const record = this.#builder.records.find(({ offset }) => offset === physicalOffset);
    if (record === undefined || (size ?? record.length) !== record.length) return undefined;
    return new MessageView(Buffer.from(this.#builder.image(0).buffer), physicalOffset, record.length);
  }

  async putMessage({ topic, queueId, body, tags, properties = {} }: Message): Promise<PutMessageResult> {
    if (this.refusal?.topic === topic) throw this.refusal.error;
    const queue = this.queues.get(`${topic}-${queueId}`) ?? new FakeQueue();
    this.queues.set(`${topic}-${queueId}`, queue);
    const text = formatProperties(Object.entries({ ...properties, ...(tags === undefined ? {} : { TAGS: tags }) }), true);
    const { offset, length, storeTimestamp } = this.#builder.add({ topic, queueId, body, properties: text });
    queue.units.push({ physicalOffset: offset, size: length, tagsCode: 0 });
    const host = encodeHost({ address: "127.0.0.1", port: 10911 });
    const queueOffset = queue.units.length - 1;
    const appendResult = new AppendMessageResult(offset, length, storeTimestamp, queueOffset, 1, host, undefined);
    return { status: "PUT_OK", appendResult };
  }

  commitMessage(message: Message): Promise<PutMessageResult> {
    return this.putMessage(message);
  }

  get(_group: string, topic: string): number | undefined {
    return this.noted.get(topic);
  }

  commit(_group: string, topic: string, _queueId: number, offset: number): void {
    this.noted.set(topic, offset);
  }
}
