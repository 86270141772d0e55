/**
 * Layout of the `checkpoint` file (RocketMQ: `StoreCheckpoint`). Five i64, big-endian, and zeros up to the end; 4.9 knows the first three.
 *
 * ```text
 *   0                    8                    16                   24                    32               40       4096
 *   +--------------------+--------------------+--------------------+---------------------+----------------+---------+
 *   | physicMsgTimestamp | logicsMsgTimestamp | indexMsgTimestamp  | masterFlushedOffset | confirmPhyOff. |  zeros  |
 *   +--------------------+--------------------+--------------------+---------------------+----------------+---------+
 * ```
 */
export const CHECKPOINT_LENGTH = 4096;
export const PHYSIC_MSG_TIMESTAMP_OFFSET = 0;
export const LOGICS_MSG_TIMESTAMP_OFFSET = 8;
export const INDEX_MSG_TIMESTAMP_OFFSET = 16;
export const MASTER_FLUSHED_OFFSET_OFFSET = 24;
export const CONFIRM_PHYSICAL_OFFSET_OFFSET = 32;
