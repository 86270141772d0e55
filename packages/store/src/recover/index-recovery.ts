import type { Storage } from "@millrace/mapped-file";
import type { DispatchedMark } from "./dispatched-mark.js";

export interface IndexRecoveryOptions {
  readonly storage: Storage;
  readonly directory: string;
  readonly maxHashSlotNum: number;
  readonly maxIndexNum: number;
  readonly minOffset: number;
  readonly maxOffset: number;
  readonly lastExitOk: boolean;
  readonly mark: DispatchedMark | undefined;
  readonly storeTimestampAt: (physicalOffset: number) => number | undefined;
  readonly recordEndAt: (physicalOffset: number) => number | undefined;
}

export interface IndexRecovery {
  readonly indexFromOffset: number;
  readonly removed: string[];
  readonly rebuilt: boolean;
}

/** Everything is indexed again. */
export function recoverIndex({ minOffset }: IndexRecoveryOptions): IndexRecovery {
  return { indexFromOffset: minOffset, removed: [], rebuilt: true };
}
