import { PROPERTY_REAL_QUEUE_ID, PROPERTY_REAL_TOPIC, PROPERTY_TRANSACTION_PREPARED } from "@millrace/format";
import { MessageView } from "../../read/message-view.js";
import type { QueueName } from "../stored-message.js";

/** What a half message has beside the properties of its message. */
export const HALF_PROPERTIES = [PROPERTY_REAL_TOPIC, PROPERTY_REAL_QUEUE_ID, PROPERTY_TRANSACTION_PREPARED];

/** A half message as its producer knows it: with the topic, the queue and the properties of the message that waits in it. */
export class HalfMessageView extends MessageView {
  readonly #real: QueueName;

  private constructor(bytes: Buffer, size: number, real: QueueName) {
    super(bytes, 0, size);
    this.#real = real;
  }

  /** A copy. */
  static of(half: MessageView, real: QueueName): HalfMessageView {
    const bytes = Buffer.allocUnsafe(half.size);
    half.copyInto(bytes, 0);
    return new HalfMessageView(bytes, bytes.length, real);
  }

  override get topic(): string {
    return this.#real.topic;
  }

  override get queueId(): number {
    return this.#real.queueId;
  }

  override get properties(): Map<string, string> {
    const properties = super.properties;
    for (const name of HALF_PROPERTIES) properties.delete(name);
    return properties;
  }

  override property(name: string): string | undefined {
    return HALF_PROPERTIES.includes(name) ? undefined : super.property(name);
  }

  override copy(): HalfMessageView {
    return HalfMessageView.of(this, this.#real);
  }
}
