import type { ErrorCodeText } from "./error-code-text.js";
import { HA_ERROR_CODES } from "./ha-error-codes.js";
import { TRANSACTION_ERROR_CODES } from "./transaction-error-codes.js";

/** Every code of an error or of a refused put, by name. `docs/errors.md` is made from it. */
export const ERROR_CODES = {
  ERR_ABORTED: {
    meaning: "Opening, copying to another directory, or starting the dashboard was aborted by its signal.",
    remedy: "Open the store, copy it, or start the dashboard again: all can begin afresh at any point.",
  },
  ERR_ALLOCATE_FAILED: {
    meaning: "The segment that the message goes to could not be made, so it was not put.",
    remedy: "Make room on the disk, and look at stats().allocate; the next put tries again.",
  },
  ERR_BATCH_ILLEGAL: {
    meaning: "The batch is empty, mixes what a batch cannot mix, or its bytes are not a batch.",
    remedy:
      "Give messages of one topic, queue and host that are neither delayed nor transactional, and do not change them meanwhile.",
  },
  ERR_BLANK_TOO_SHORT: {
    meaning: "The rest of a segment is shorter than a blank record.",
    remedy: "Leave at least 8 bytes for the blank record.",
  },
  ERR_BODY_TOO_LARGE: {
    meaning: "The body is longer than maxMessageSize, so the message was not put.",
    remedy: "Put less at a time, or open the store with a larger maxMessageSize.",
  },
  ERR_CHECKPOINT_ILLEGAL: {
    meaning: "The checkpoint file has a wrong length, or a field that is negative or beyond 2^53.",
    remedy: "Open the store: it makes a damaged checkpoint again, with zeros, and RocketMQ then recovers everything.",
  },
  ERR_COMMIT_LOG_CORRUPT: {
    meaning: "The log is damaged where it was once known to be durable, so nothing was changed.",
    remedy:
      "Look at the disk, then put the files back from a snapshot, or run millrace salvage: to cut here would lose acknowledged messages.",
  },
  ERR_CONSUMER_OFFSETS_CORRUPT: {
    meaning: "Neither config/consumerOffset.json nor Millrace's copy nor the backup can be understood.",
    remedy: "Repair the file, or delete all three to have every group begin again without offsets.",
  },
  ERR_CONSUME_ILLEGAL: {
    meaning: "An option of consume is missing or has a value that makes no sense.",
    remedy: "Correct the option that the message names.",
  },
  ERR_CONSUME_QUEUE_CORRUPT: {
    meaning: "A unit of a ConsumeQueue does not lead to a record of its queue, and nothing was handed out.",
    remedy: "Try again, it is built again from the log meanwhile; look at the disk when it stays.",
  },
  ERR_CONSUME_QUEUE_NAME: {
    meaning: "Something below consumequeue is named neither as a queue nor as one of its files.",
    remedy: "Move it away, or open the store with the mappedFileSizeConsumeQueue that it was made with.",
  },
  ERR_CONSUME_QUEUE_SIZE: {
    meaning: "A ConsumeQueue file has another length than mappedFileSizeConsumeQueue.",
    remedy: "Open the store with the mappedFileSizeConsumeQueue that it was made with.",
  },
  ERR_CONSUME_QUEUE_TOPIC: {
    meaning: "A directory below consumequeue has a name that no topic can have.",
    remedy: "Move it away: a legal topic is made of % | a-z A-Z 0-9 _ - only.",
  },
  ERR_CONSUME_QUEUE_UNREADABLE: {
    meaning: "The system could not read a ConsumeQueue during recovery.",
    remedy: "Look at the disk and at the permissions of the file, then open the store again.",
  },
  ERR_CONSUME_QUEUE_UNSUPPORTED: {
    meaning: "The directory holds ConsumeQueues of a kind that Millrace cannot read.",
    remedy: "Open it with RocketMQ: queues of batches, of RocksDB and of ConsumeQueueExt are read only there.",
  },
  ERR_CONSUME_QUEUE_UNWRITABLE: {
    meaning: "The system could not write a ConsumeQueue during recovery.",
    remedy: "Make room on the disk or correct the permissions of the file, then open the store again.",
  },
  ERR_COPY_FAILED: {
    meaning:
      "The system could not read or write a file while a store was copied to another directory, or its log was deleted meanwhile.",
    remedy: "Make room on the disk that the message names, or correct the permissions, then copy again.",
  },
  ERR_COPY_TARGET: {
    meaning: "The directory that a store is to be copied to is there already, is being written to, or overlaps the store.",
    remedy: "Name a directory outside of the store that does not exist or is empty.",
  },
  ERR_DASHBOARD_LISTEN: {
    meaning: "The system does not let the dashboard listen at this host and port.",
    remedy: "Give another port, or none for one that is free, and a host that is an address of this machine.",
  },
  ERR_DELAY_LEVEL_HELD_UP: {
    meaning:
      "What is due in a delay level could not be put, or not be read: it is tried again, and what the level holds comes late.",
    remedy:
      "Mend what the message names, a full disk for one; nothing is lost, and the event `recovered` says when no level waits for it.",
  },
  ERR_DELAY_OFFSETS_CORRUPT: {
    meaning: "Neither config/delayOffset.json nor Millrace's copy nor the backup can be understood.",
    remedy: "Repair the file, or delete all three to have the delayed messages that are still in the log delivered again.",
  },
  ERR_DELETED_TOPICS_CORRUPT: {
    meaning: "The table of deleted topics, or its copy, is damaged: with both damaged, messages of deleted topics are back.",
    remedy: "Look at the disk; a damaged copy has been written again, and a topic that is back can be deleted again.",
  },
  ERR_DISK_FULL: {
    meaning: "The disk is fuller than diskSpaceWarningLevelRatio, so the message was not put.",
    remedy: "Make room on the disk, shorten fileReservedTime, or raise diskSpaceWarningLevelRatio.",
  },
  ERR_DISPATCHER_ILLEGAL: {
    meaning: "A module of commitLogDispatchers does not export what a dispatcher is.",
    remedy: "Export as default a function that returns an object with a method named dispatch.",
  },
  ERR_DISPATCHER_TIMEOUT: {
    meaning: "A module of commitLogDispatchers, or the function that it exports, has not settled for a minute.",
    remedy: "Have it answer at once, and do what takes long later.",
  },
  ERR_DISPATCH_FAILED: {
    meaning: "A dispatcher failed: at a record, which readers wait for, and puts from the tenth time on; or yours, in force.",
    remedy: "Correct the dispatcher that the message names, or make room on the disk: it is tried again every second.",
  },
  ERR_DISPATCH_RECORD: {
    meaning: "The dispatcher found bytes in the log that are no record where it had to go on.",
    remedy: "Look at the disk, then open the store again: recovery checks the log.",
  },
  ERR_FILES_NOT_DELETED: {
    meaning: "Not everything that has expired could be deleted.",
    remedy: "Look at the permissions and at the disk; the next run tries again.",
  },
  ERR_FILE_MAPPED: {
    meaning: "A file cannot be truncated while it is mapped.",
    remedy: "Unmap it first: this is a mistake in Millrace, please report it.",
  },
  ERR_FILE_TOO_LONG: {
    meaning: "A small file of the store is far longer than it can be, so it was not read.",
    remedy: "Move the file that the message names away, or put it back from a copy.",
  },
  ERR_FILE_TYPE: {
    meaning: "Where the store has a file lies a link, a directory, a FIFO or a device.",
    remedy: "Move it away: links are followed only to the directories that the store is given or keeps in its root.",
  },
  ERR_FILTER_ILLEGAL: {
    meaning: "The filter is not { tags } with at least one tag, none of them empty.",
    remedy: 'Give a list of tags such as { tags: ["TagA"] }, or no filter at all.',
  },
  ERR_FORCE_FAILED: {
    meaning: "The system could not force the log to the disk, so the store has fenced itself.",
    remedy: "Look at the disk, then run millrace unfence with the directory.",
  },
  ERR_GET_ILLEGAL: {
    meaning: "An argument of a read makes no sense.",
    remedy: "Correct the argument that the message names.",
  },
  ERR_GROUP_ILLEGAL: {
    meaning: "The name of the consumer group is not legal.",
    remedy: "Use 1 to 255 of % | a-z A-Z 0-9 _ and -.",
  },
  ...HA_ERROR_CODES,
  ERR_HOST_ILLEGAL: {
    meaning: "A host is not an IPv4 or IPv6 address with a port.",
    remedy: 'Give { address, port }, such as { address: "127.0.0.1", port: 10911 }; names are not looked up.',
  },
  ERR_INDEX_FILE_CORRUPT: {
    meaning: "The header of an index file cannot be one.",
    remedy: "Delete the index directory while the store is closed: the next open makes it again.",
  },
  ERR_INDEX_FILE_SIZE: {
    meaning: "An index file has another length than maxHashSlotNum and maxIndexNum give.",
    remedy: "Open the store with the values it was made with, or delete the index directory: it is made again.",
  },
  ERR_INNER_BATCH: {
    meaning: "The message is marked as an inner batch, which is not supported, so it was not put.",
    remedy: "Put its messages one by one or with putMessages, without the flag and without the INNER_… properties.",
  },
  ERR_INVARIANT: {
    meaning: "A rule that always holds in the store was broken, by a defect or by something that wrote into its memory.",
    remedy: "Open the store again, which recovers it, and report the message with the stack in its cause.",
  },
  ERR_JSON_ILLEGAL: {
    meaning: "The text is not JSON as RocketMQ writes it.",
    remedy: "Correct the text at the position that the message names.",
  },
  ERR_LIMIT_ILLEGAL: {
    meaning: "A number of puts given to drained or writable is not an integer that it can be.",
    remedy: "Give an integer: from 0 on for drained, from 1 on for highWaterMark.",
  },
  ERR_LISTENER_ILLEGAL: {
    meaning: "The listener is not a function.",
    remedy: "Give a function that takes an arrival.",
  },
  ERR_MESSAGE_ID_ILLEGAL: {
    meaning: "The text is not a message id.",
    remedy: "Give the msgId of a put or of a message: 32 hexadecimal digits, or 56 for IPv6.",
  },
  ERR_MESSAGE_ILLEGAL: {
    meaning: "A field of the message has a value that it cannot have.",
    remedy: "Correct the field that the message names; a text becomes a body with Buffer.from(text).",
  },
  ERR_MESSAGE_NOT_DELIVERED: {
    meaning: "A delayed message was due, and cannot be put under its own topic and queue, however often: it was passed over.",
    remedy:
      "Read it with lookMessageByOffset at the offset that the message names, while its segment is there, and put what can be put.",
  },
  ERR_OFFSET_ILLEGAL: {
    meaning: "An offset is not an integer of at least 0.",
    remedy: "Give an offset as Millrace has answered it.",
  },
  ERR_OPTION_CONTRADICTORY: {
    meaning: "Two options exclude each other.",
    remedy: "Change one of the two that the message names.",
  },
  ERR_OPTION_ILLEGAL: {
    meaning: "An option has a value that it cannot have.",
    remedy: "Give a value as the message describes it.",
  },
  ERR_OPTION_UNKNOWN: {
    meaning: "There is no option of this name.",
    remedy: "Correct its spelling: the options of a store are named as in RocketMQ's MessageStoreConfig.",
  },
  ERR_OS_PAGE_CACHE_BUSY: {
    meaning: "A message has been on its way into the log for longer than osPageCacheBusyTimeOutMills, so this one was not put.",
    remedy: "Try again later: the system is busy writing its page cache to the disk.",
  },
  ERR_PATH_NOT_DIRECTORY: {
    meaning: "Something that is not a directory lies where the log has to be.",
    remedy: "Move it away, or choose another storePathRootDir or storePathCommitLog.",
  },
  ERR_PATH_UNREADABLE: {
    meaning: "The directory of the log cannot be listed.",
    remedy: "Correct its permissions, or look at the disk.",
  },
  ERR_PATH_UNUSABLE: {
    meaning: "The system refused a file or directory of the store.",
    remedy: "Correct the path or its permissions, or make room on the disk; the message names the system's code.",
  },
  ERR_PIPELINE_START: {
    meaning: "A service thread did not start, or ended while the store was opened.",
    remedy: "Correct what the message names as the reason, then open the store again.",
  },
  ERR_PLATFORM: {
    meaning: "This system or runtime lacks what Millrace stands on: files mapped into memory, and a binary to reach them.",
    remedy: "Do what the message says; Linux on x64 and arm64, with glibc or musl, works as it is.",
  },
  ERR_PRODUCER_ILLEGAL: {
    meaning: "What a producer was to be made of is no handle, or one that has been attached already.",
    remedy: "Call store.producerHandle() for each producer, and post the handle to its thread with its transferList.",
  },
  ERR_PROPERTIES_TOO_LARGE: {
    meaning:
      "The properties, with tags and keys, are longer than 32,767 bytes, or will be when the message is delivered: it was not put.",
    remedy: "Shorten them: what is large belongs into the body.",
  },
  ERR_PROPERTY_ILLEGAL: {
    meaning: "A property, tag or key is empty, no string, or holds a character that it cannot hold.",
    remedy: "Give non-empty strings without 0x01 and 0x02, and use the message's own fields where there is one.",
  },
  ERR_PUT_TIMEOUT: {
    meaning: "The put ring stayed full for longer than putMessageTimeout, so the message was not put.",
    remedy: "Put less at a time, or open the store with a larger putRingSize or putMessageTimeout.",
  },
  ERR_QUERY_ILLEGAL: {
    meaning: "An option of queryMessage is missing or has a value that makes no sense.",
    remedy: "Give a topic and a key, and where wanted maxNum and the times begin and end.",
  },
  ERR_QUEUE_FULL: {
    meaning: "The queue has a record, of another writer, with nearly the highest queue offset there can be: none is left for more.",
    remedy: "Put into another queue, or delete the topic: its queues begin again at 0.",
  },
  ERR_QUEUE_ILLEGAL: {
    meaning: "The queue id is not an integer from 0 to 2147483647.",
    remedy: "Give a number in this range.",
  },
  ERR_RECORD_CORRUPT: {
    meaning: "A record of the log is not as it was written, so the message was not handed out.",
    remedy: 'Look at the disk; read on at queueOffset + 1, or consume with onCorrupt: "skip".',
  },
  ERR_RECORD_TOO_LARGE: {
    meaning:
      "The message (a delayed one: as it will be delivered) or batch does not fit a segment, or maxMessageSize, so it was not put.",
    remedy: "Put less at a time, or open the store with a larger maxMessageSize.",
  },
  ERR_RING_FULL: {
    meaning: "The put ring is full, and as much waits for it as may, so the message was not put.",
    remedy: "Wait with store.drained or store.writable, or set a larger putRingSize, maxAsyncPutMessageRequests or -Bytes.",
  },
  ERR_SEGMENT_GAP: {
    meaning: "A segment of the log is missing between two others, or before the first, where no retention has deleted it.",
    remedy:
      "Put the file back from a copy; where the first are gone for good, delete millrace.logStart, and the log begins where it does.",
  },
  ERR_SEGMENT_IN_USE: {
    meaning: "The segment that the log ends in cannot be deleted.",
    remedy: "Delete segments below it only: this is a mistake in Millrace, please report it.",
  },
  ERR_SEGMENT_NAME: {
    meaning: "A file in the directory of the log is not named by a multiple of mappedFileSizeCommitLog.",
    remedy: "Open the store with the mappedFileSizeCommitLog that it was made with, or move the file away.",
  },
  ERR_SEGMENT_RANGE: {
    meaning: "A position lies outside its segment.",
    remedy: "This is a mistake in Millrace: please report it.",
  },
  ERR_SEGMENT_SIZE: {
    meaning: "A segment has another length than mappedFileSizeCommitLog, or in a ConsumeQueue than mappedFileSizeConsumeQueue.",
    remedy: "Open the store with the size that it was made with; if it is that, put the file back from a copy.",
  },
  ERR_SEGMENT_TYPE: {
    meaning: "Something in the directory of the log is not a file.",
    remedy: "Move it away.",
  },
  ERR_SEGMENT_UNREADABLE: {
    meaning: "The system could not read a segment of the log, during recovery or for a slave.",
    remedy:
      "Look at the disk, the file's permissions and the limit of descriptors, then open the store again; a slave tries by itself.",
  },
  ERR_SEGMENT_UNWRITABLE: {
    meaning: "The system could not write a segment of the log during recovery.",
    remedy: "Make room on the disk or correct the permissions of the file, then open the store again.",
  },
  ERR_SERVICE_DIED: {
    meaning: "A service thread died.",
    remedy: "Give the process enough memory, then open the store again: recovery keeps what was acknowledged.",
  },
  ERR_SERVICE_ENDED: {
    meaning: "A service thread ended before it could answer.",
    remedy: "Open the store again, unless it is being closed.",
  },
  ERR_SERVICE_FAILED: {
    meaning: "A service thread threw an error that has no code of its own.",
    remedy: "Correct what the message says if it comes from a dispatcher of yours; otherwise please report it with its stack.",
  },
  ERR_SERVICE_STUCK: {
    meaning: "A service thread showed no sign of life for 30 seconds while the store was opened or closed.",
    remedy: "Look at the disk, and at dispatchers of your own: the thread hangs in a call of the system, or in one of them.",
  },
  ERR_STORE_CLOSED: {
    meaning: "The store is closed, or is being closed.",
    remedy: "Open it again.",
  },
  ERR_STORE_FAULTED: {
    meaning: "A service thread has ended although nobody stopped it, so nothing more can be acknowledged.",
    remedy: "Correct what the message names, then open the store again: whether the message was put is known then.",
  },
  ERR_STORE_FENCED: {
    meaning: "A force has failed, so the store takes no puts, also after a restart.",
    remedy: "Look at the disk, then run millrace unfence with the directory, or call MessageStore.clearFence.",
  },
  ERR_STORE_LOCKED: {
    meaning: "Another process, or this one, has the store open.",
    remedy: "Close it there, or end the process; the abort file in the directory holds its pid.",
  },
  ERR_STORE_READ_ONLY: {
    meaning: "The store was opened to be read beside the process that writes it, and nothing was changed.",
    remedy: "Ask the process that has the store open, or open it with MessageStore.open when none has.",
  },
  ERR_TOO_MANY_PRODUCERS: {
    meaning: "The rings of a store's producers share 4 GiB of memory, or what the system has, and one more does not fit.",
    remedy: "Close a producer, whose ring the next one gets, or open the store with a smaller putRingSize.",
  },
  ERR_TOO_MANY_QUEUES: {
    meaning: "The store has as many topics or queues as it can have.",
    remedy: "Delete topics that are not used with deleteTopic or cleanUnusedTopics, then open the store again.",
  },
  ERR_TOPIC_ILLEGAL: {
    meaning: "The topic is not legal, or is one of the system's own that this call does not take.",
    remedy: "Use 1 to 127 of % | a-z A-Z 0-9 _ and - (255 for topics that begin with %RETRY% or %DLQ%).",
  },
  ERR_TOPIC_NOT_DELETED: {
    meaning: "Not all files of the topic could be deleted, or a producer on another thread did not say that it puts nothing there.",
    remedy: "Call deleteTopic again, once the producer's thread comes to its event loop; what was deleted stays deleted.",
  },
  ERR_TOPIC_SUSPENDED: {
    meaning: "Queues of the topic are just being deleted.",
    remedy: "Put the message again once the deletion has resolved.",
  },
  ...TRANSACTION_ERROR_CODES,
  ERR_TRUNCATE_OFFSET: {
    meaning: "The offset to cut the log at lies outside of the log, so nothing was cut.",
    remedy: "Name an offset between the log's first and last, which the message says.",
  },
  ERR_UNDECIDED_ILLEGAL: {
    meaning: "A number given to undecidedMessages is not a number of at least 0.",
    remedy: "Correct the number that the message names.",
  },
  ERR_WATERMARK_BACKWARDS: {
    meaning: "The flushed watermark was about to go back.",
    remedy: "This is a mistake in Millrace: please report it.",
  },
  ERR_WATERMARK_CORRUPT: {
    meaning: "The file of the flushed watermark has no good slot.",
    remedy:
      "Look at the disk, then run millrace salvage; deleting the file instead lets recovery take damage to durable bytes for a torn end.",
  },
  ERR_WORKER_DIED: {
    meaning: "A thread of recovery or of a snapshot died, or could not begin.",
    remedy: "Give the process enough memory and descriptors, then open the store or take the snapshot again.",
  },
  ERR_WRITE_STALLED: {
    meaning: "The system took none of the bytes of a write.",
    remedy: "Make room on the disk, or look at it.",
  },
} as const satisfies Readonly<Record<string, ErrorCodeText>>;

/** What `MillraceError.code` can be. */
export type MillraceErrorCode = keyof typeof ERROR_CODES;
