import type { MessageStoreOptions } from "./config/message-store-options.js";
import type { ReadOnlyOptions } from "./config/read-only-options.js";
import { type SalvageReport, salvageStore } from "./copy/salvage.js";
import { storeSizes } from "./follow/followed-store.js";
import type { StoreSizes } from "./follow/store-sizes.js";
import { MessageStoreReads } from "./message-store-reads.js";
import { clearFence } from "./open/clear-fence.js";
import { leaveOutUnreadableOffsets } from "./open/salvaged-config.js";
import { type TruncateReport, truncateStore } from "./open/truncate-store.js";

/** The part of {@link MessageStore} that is for directories which nobody has open. */
export abstract class StoreDirectory extends MessageStoreReads {
  /**
   * The sizes that a directory was made with, as far as its files tell them: for {@link open}, which wants the same.
   * @throws MillraceError `ERR_PATH_UNUSABLE`: no store with a segment lies there
   */
  static sizesOf(storePathRootDir: string, options: ReadOnlyOptions = {}): StoreSizes {
    return storeSizes(storePathRootDir, options, { kind: "real" });
  }

  /**
   * Writes what is good of a damaged store to a new directory, each message where it was: its physical and queue offset and its id stay,
   * and so do the groups' offsets; ConsumeQueues and index are made when the target is opened. The place of what is lost holds a record of
   * topic `MILLRACE_SALVAGE` that says so. The source is not changed. Works on the caller's thread, for as long as reading the log twice
   * takes, and gives it turns in between. As `millrace salvage <directory> <target>`. (RocketMQ has nothing like it.)
   * @param options of the damaged store; its `signal` ends it, and nothing is left of the target then
   * @param directory is not there, or empty
   * @throws MillraceError `ERR_COPY_TARGET`; `ERR_STORE_LOCKED`: the store is open; `ERR_PATH_UNUSABLE`: it is none; `ERR_ABORTED`;
   * `ERR_COPY_FAILED`: the system does not let the log be read, or the target written; nothing is left of it then
   */
  static async salvage(options: MessageStoreOptions, directory: string): Promise<SalvageReport> {
    return await salvageStore(options, directory, { kind: "real" }, leaveOutUnreadableOffsets);
  }

  /**
   * Cuts the log of a directory that is not open: what ends after `offset` is gone for good, in ConsumeQueues and index too. Delayed
   * messages that were delivered there will be delivered again, and prepared ones that were decided there are undecided. Meant for a slave
   * that has diverged from its master, at the offset that `ERR_HA_DIVERGED` names. As `millrace recover <directory> --truncate-to`.
   * A segment that a snapshot shares is copied before it is cut, beside the log's directory: the snapshot stays whole, and there has to be
   * room on the disk.
   * @param options of the store; its `signal` aborts before anything is cut
   * @param offset in bytes of the log, not below its first
   * @throws MillraceError `ERR_TRUNCATE_OFFSET`; what {@link open} throws, before anything is cut; `ERR_PATH_UNUSABLE`: also where no
   * store is, and none is made
   */
  static async truncate(options: MessageStoreOptions, offset: number): Promise<TruncateReport> {
    return await truncateStore(options, offset, { kind: "real" });
  }

  /**
   * Lifts the fence, if there is one, of a directory that is not open: the operator has looked at the disk. The next {@link open} writes
   * the log again from where the force failed. As `millrace unfence <directory>`.
   * @returns whether there was one
   * @throws MillraceError `ERR_PATH_UNUSABLE`: there is no such directory, or it does not take the word, and the fence stands; or no fence
   * and no log lie there, and the log's place is not given; `ERR_STORE_LOCKED`: it is open
   */
  static clearFence(storePathRootDir: string, options: ReadOnlyOptions = {}): boolean {
    return clearFence(storePathRootDir, options, { kind: "real" });
  }
}
