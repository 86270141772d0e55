import type { DiskUsage, Storage } from "@millrace/mapped-file";
import type { MessageStoreConfig } from "../config/message-store-config.js";

/** What cannot be known. No rule applies to it. */
const UNKNOWN_RATIO = -1;

/** How full the disk is that holds a path: taken by files, of what files can take, in whole per cents, rounded up; 0 to 1. @forTests */
export function diskRatio({ usedBytes, freeBytes }: DiskUsage): number {
  const bytes = usedBytes + freeBytes;
  return bytes === 0 ? UNKNOWN_RATIO : Math.ceil((usedBytes * 100) / bytes) / 100;
}

/** {@link diskRatio} of a path; -1 when it is missing or cannot be asked. (RocketMQ: `UtilAll.getDiskPartitionSpaceUsedPercent`.) */
export function diskRatioOf(storage: Storage, path: string): number {
  try {
    return diskRatio(storage.diskUsage(path));
  } catch {
    return UNKNOWN_RATIO;
  }
}

export interface DiskRatios {
  readonly commitLogDiskRatio: number;
  readonly consumeQueueDiskRatio: number;
}

/**
 * How full the disks are, and what follows from it. The fuller of the two decides. Each look forgets the one before, the flag included:
 * RocketMQ's could stay set when space was back (issue 2398). (RocketMQ: `CleanCommitLogService.isSpaceToDelete`, `isSpaceFull`.)
 */
export class DiskSpace {
  readonly #config: MessageStoreConfig;
  readonly #measure: () => DiskRatios;
  readonly #onFull: (isFull: boolean) => void;
  #ratios: DiskRatios = { commitLogDiskRatio: UNKNOWN_RATIO, consumeQueueDiskRatio: UNKNOWN_RATIO };

  /** @param onFull notified after every look whether puts are to be refused */
  constructor(config: MessageStoreConfig, measure: () => DiskRatios, onFull: (isFull: boolean) => void) {
    this.#config = config;
    this.#measure = measure;
    this.#onFull = onFull;
  }

  look(): void {
    this.#ratios = this.#measure();
    this.#onFull(this.isFull);
  }

  /** At the last look. */
  get ratios(): DiskRatios {
    return this.#ratios;
  }

  /** No puts are taken. */
  get isFull(): boolean {
    return this.#isAbove(this.#config.diskSpaceWarningLevelRatio);
  }

  /** Segments go although they have not expired. */
  get cleansImmediately(): boolean {
    const { cleanFileForciblyEnable, diskSpaceCleanForciblyRatio } = this.#config;
    return cleanFileForciblyEnable && (this.isFull || this.#isAbove(diskSpaceCleanForciblyRatio));
  }

  /** Expired segments go at any hour. */
  get isSpaceToDelete(): boolean {
    return this.cleansImmediately || this.#isAbove(this.#config.diskMaxUsedSpaceRatio);
  }

  #isAbove(percent: number): boolean {
    return Math.max(this.#ratios.commitLogDiskRatio, this.#ratios.consumeQueueDiskRatio) > percent / 100;
  }
}
