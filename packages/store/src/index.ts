/** The whole public API of `@millrace/store`. */
export { type Host, MillraceError, type PutMessageStatus } from "@millrace/format";
export type { StoreStats } from "@millrace/stats";
export type { CleanReport } from "./clean/clean-files-service.js";
export type { SelfCheckFinding } from "./clean/self-check.js";
export type { TopicQueue } from "./clean/topic-cleaner.js";
export { MessageStore } from "./message-store.js";
export type { BackPressure, FlushDiskType, MessageStoreConfig, MessageStoreOptions } from "./message-store-config.js";
export type { Message } from "./put/message.js";
export { AppendMessageResult, type PutMessageResult } from "./put/put-message-result.js";
export type { DispatchReport, LogReport, RecoveryCut, RecoveryProgress, RecoveryReport } from "./recover/recovery-report.js";
export type { PreparedMessage, PrepareMessageResult, UndecidedMessage, UndecidedRequest } from "./transaction/prepared-message.js";
