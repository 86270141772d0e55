/** `@millrace/store/producer`: puts from other threads than the store's. */

export { MessageProducer } from "./produce/message-producer.js";
export type { ProducerHandle } from "./produce/producer-handle.js";
export type { Message } from "./put/message.js";
export type { PutMessageResult } from "./put/put-message-result.js";
