/** The whole public API of `@millrace/store`. */

export type { DispatchRequest } from "@millrace/format";
export {
  type AppendedPutStatus,
  ERROR_CODES,
  type ErrorCodeText,
  type GetMessageStatus,
  type Host,
  type MessageVerdictName,
  MillraceError,
  type MillraceErrorCode,
  type PutMessageStatus,
  type RefusedPutStatus,
} from "@millrace/format";
export type { DiskUsage } from "@millrace/mapped-file";
export type {
  CommittedOffset,
  ConsumersStats,
  DelayLevelStats,
  GroupLagStats,
  HaStats,
  LastErrorStats,
  LatencySnapshot,
  MasterStats,
  QueueStats,
  ServiceStats,
  SlaveStats,
  StoreStateName,
  StoreStats,
  TopicPutStats,
} from "@millrace/stats";
export type { ConsumerOffsets } from "./broker/consumer-offsets.js";
export type {
  PreparedMessage,
  PrepareMessageResult,
  UndecidedMessage,
  UndecidedRequest,
} from "./broker/transaction/prepared-message.js";
export type { FutureSegment, HeldSegment } from "./clean/commit-log-cleaner.js";
export type { CleanReport } from "./clean/file-cleaner.js";
export type { SelfCheckFinding } from "./clean/self-check.js";
export type { VerifyOptions, VerifyProgress, VerifyReport } from "./clean/store-scrubber.js";
export type { TopicQueue } from "./clean/topic-cleaner.js";
export type { MessageStoreConfig } from "./config/message-store-config.js";
export type { BackPressure, BrokerRole, FlushDiskType, MessageStoreOptions, VerifyOnOpen } from "./config/message-store-options.js";
export type { ReadOnlyOptions } from "./config/read-only-options.js";
export type { RecoveryProgress } from "./config/recovery-progress.js";
export type { StoreLogger } from "./config/store-logger.js";
export type { ConsumeFrom, ConsumeOptions } from "./consume/consume-options.js";
export type { ConsumedBatch } from "./consume/consumed-batch.js";
export type { MessageArrival, MessageArrivingListener } from "./consume/message-arriving.js";
export type { MessageConsumer } from "./consume/message-consumer.js";
export type { LostMessage, LostRange, SalvageReport, UnreadableFile } from "./copy/salvage.js";
export type { CopyProgress, SnapshotOptions, SnapshotReport } from "./copy/store-snapshots.js";
export type { CommitLogDispatcher, CommitLogDispatcherFactory } from "./dispatch/commit-log-dispatcher.js";
export type { DirectoryStats } from "./follow/directory-stats.js";
export type { DirectoryDamage, DirectoryVerifyOptions, DirectoryVerifyReport } from "./follow/directory-verifier.js";
export type { FollowedOffsets } from "./follow/followed-offsets.js";
export type { StoreSizes } from "./follow/store-sizes.js";
export type { ConfigFileDamage } from "./marks/config-file.js";
export type { StoreFence } from "./marks/store-fence.js";
export { MessageStore } from "./message-store.js";
export type { MessageStoreReads } from "./message-store-reads.js";
export type { TruncateReport } from "./open/truncate-store.js";
export type { DamagedPlace } from "./pipeline/controls.js";
export type { ProducerHandle } from "./produce/producer-handle.js";
export type { Message } from "./put/message.js";
export type { MessageWritableOptions } from "./put/message-writable.js";
export type {
  AppendedPutResult,
  AppendMessageResult,
  PutMessageResult,
  RefusedPutResult,
} from "./put/put-message-result.js";
export type { GetMessageResult } from "./read/get-message-result.js";
export type { GetMessageRequest } from "./read/message-getter.js";
export type { MessageQueryOptions, QueryMessageResult } from "./read/message-query.js";
export type { MessageView } from "./read/message-view.js";
export type { BoundaryType } from "./read/offset-by-time.js";
export type { MessageJson, PlainMessage } from "./read/plain-message.js";
export { type CorruptPlace, RecordCorruptError } from "./read/record-corrupt-error.js";
export type { MessageFilter } from "./read/tag-filter.js";
export type { TopicSelection } from "./read/topic-selection.js";
export type { ReadOnlyMessageStore } from "./read-only-message-store.js";
export type { IndexFileDamage } from "./recover/index/index-file-check.js";

export type { CorruptRecord } from "./recover/log/corrupt-record.js";
export type { LogReport, RecoveryCut } from "./recover/log/log-report.js";
export type { CutOffset, DispatchReport, ProgressReport, RecoveryReport } from "./recover/recovery-report.js";
export type { IndexRow, LogRow, QueueRow, RecoveryRow } from "./recover/scan/recovery-row.js";
export type { StoreDirectory } from "./store-directory.js";
export type {
  ForceChannelEvent,
  PutChannelEvent,
  RecoveryChannelEvent,
  RollChannelEvent,
  StoreChannelMap,
} from "./tell/store-channels.js";
export type {
  CorruptEvent,
  DispatchFailedEvent,
  DivergedEvent,
  RebuiltEvent,
  ReplicaEvent,
  SlaveBehindEvent,
  SlaveJoinedEvent,
  SlaveLeftEvent,
  StoreEvent,
  StoreEventMap,
  StoreEventName,
  StoreEventService,
  StoreFailureEvent,
} from "./tell/store-event.js";
