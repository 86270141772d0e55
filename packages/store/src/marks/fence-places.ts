import { dirname } from "node:path";
import { crc32, getInt64, MillraceError, type StorePaths, setInt64 } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { wallClockMs } from "@millrace/shared-memory";
import {
  FENCE_SLOT_CRC_OFFSET,
  FENCE_SLOT_DURABLE_OFFSET,
  FENCE_SLOT_LENGTH,
  FENCE_SLOT_MAGIC_OFFSET,
  FENCE_SLOT_TIME_OFFSET,
  WATERMARK_FENCE_MAGIC,
  WATERMARK_FENCE_OFFSET,
} from "./flushed-watermark-descriptor.js";
import { liftStoreFence, readStoreFence, type StoreFence, unforcedFrom, writeStoreFence } from "./store-fence.js";

/**
 * After a force that failed: into the root or, where a failing disk does not take it there, beside the log or inside a file that
 * exists. False where nothing takes the marker: then the store that is open is fenced by the error alone, and the
 * next life knows nothing of it.
 *
 * @param durable the offset below which everything was durable before
 */
export function leaveFence(storage: Storage, paths: StorePaths, durable: number, cause: unknown): boolean {
  const fence = { reason: String(cause), offset: durable, time: wallClockMs() };
  const places: readonly (() => void)[] = [
    () => writeStoreFence(storage, paths.fence, fence),
    () => writeStoreFence(storage, paths.logFence, fence),
    () => writeFenceSlot(storage, paths.watermark, encodeFenceSlot(fence)),
  ];
  return places.some((leave) => {
    try {
      leave();
      return true;
    } catch {
      return false;
    }
  });
}

/** {@link leaveFence} unless it lies somewhere: the thread whose force failed may have found no descriptor to leave it with. */
export function keepFence(storage: Storage, paths: StorePaths, durable: number, cause: unknown): void {
  if (bringFenceHome(storage, paths) === undefined && readStoreFence(storage, paths.fence) === undefined)
    leaveFence(storage, paths, durable, cause);
}

/**
 * A marker that lies elsewhere is taken to the root, where `millrace unfence` finds it. Returns the fence that is in force and not in the
 * root, because the root still does not take it.
 */
export function bringFenceHome(storage: Storage, paths: StorePaths): StoreFence | undefined {
  const { beside, inside, fence } = strayFence(storage, paths);
  if (fence === undefined) return undefined;
  try {
    writeStoreFence(storage, paths.fence, fence);
    if (inside !== undefined) writeFenceSlot(storage, paths.watermark, new Uint8Array(FENCE_SLOT_LENGTH));
    if (beside !== undefined) removeDurably(storage, paths.logFence);
    return undefined;
  } catch {
    return fence;
  }
}

/**
 * The fence that is in force, wherever its marker lies; undefined: the store is not fenced. Changes nothing. The root is read last:
 * a marker that is on its way there is in both places.
 */
export function findFence(storage: Storage, paths: StorePaths): StoreFence | undefined {
  return strayFence(storage, paths).fence ?? readStoreFence(storage, paths.fence);
}

/**
 * The operator's word, for the marker wherever it lies. Durable on return.
 *
 * @throws MillraceError `ERR_PATH_UNUSABLE`: it lies elsewhere, and the root still does not take it; the system's own errors
 */
export function liftFence(storage: Storage, paths: StorePaths): void {
  needFenceAtHome(storage, paths);
  liftStoreFence(storage, paths.fence);
}

/**
 * {@link bringFenceHome} for what may not go on while a marker lies elsewhere.
 *
 * @throws MillraceError `ERR_PATH_UNUSABLE`: the root still does not take it
 */
export function needFenceAtHome(storage: Storage, paths: StorePaths): void {
  const stray = bringFenceHome(storage, paths);
  if (stray === undefined) return;
  const text = `the fence stands: its marker cannot be written here: path=${paths.fence} offset=${stray.offset} fence=${stray.reason}`;
  throw new MillraceError("ERR_PATH_UNUSABLE", text);
}

/** What lies beside the log, and inside the watermark file; and as one fence, from the lowest offset on that any marker has. */
function strayFence(storage: Storage, paths: StorePaths): Readonly<Record<"beside" | "inside" | "fence", StoreFence | undefined>> {
  const beside = readStoreFence(storage, paths.logFence);
  const inside = readFenceSlot(storage, paths.watermark);
  const found = [beside, inside].filter((fence) => fence !== undefined);
  const [first] = found;
  if (first === undefined) return { beside, inside, fence: undefined };
  const before = unforcedFrom(storage, paths.fence) ?? first.offset;
  return { beside, inside, fence: { ...first, offset: Math.min(before, ...found.map(({ offset }) => offset)) } };
}

function removeDurably(storage: Storage, path: string): void {
  storage.remove(path);
  storage.syncDirectory(dirname(path));
}

function encodeFenceSlot({ offset, time }: StoreFence): Uint8Array {
  const bytes = new Uint8Array(FENCE_SLOT_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setInt32(FENCE_SLOT_MAGIC_OFFSET, WATERMARK_FENCE_MAGIC);
  setInt64(view, FENCE_SLOT_DURABLE_OFFSET, offset);
  setInt64(view, FENCE_SLOT_TIME_OFFSET, time);
  view.setInt32(FENCE_SLOT_CRC_OFFSET, crc32(bytes.subarray(0, FENCE_SLOT_CRC_OFFSET)));
  return bytes;
}

/** In place: no name and no block has to be made for it. Durable on return. */
function writeFenceSlot(storage: Storage, watermark: string, slot: Uint8Array): void {
  const file = storage.open(watermark, "write");
  try {
    file.write(slot, WATERMARK_FENCE_OFFSET);
    file.force();
  } finally {
    file.close();
  }
}

/**
 * One that is torn or damaged is a fence: of the offset nothing is known. A marker has no byte alone: its magic has four, each with
 * several bits, so that one byte among zeros is damage to a place where no marker was.
 */
function readFenceSlot(storage: Storage, watermark: string): StoreFence | undefined {
  const bytes = storage.readSmall(watermark)?.subarray(WATERMARK_FENCE_OFFSET, WATERMARK_FENCE_OFFSET + FENCE_SLOT_LENGTH);
  if (bytes === undefined || bytes.filter((byte) => byte !== 0).length <= 1) return undefined;
  const reason = "a force failed, and only the watermark file took the marker";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isGood =
    bytes.length === FENCE_SLOT_LENGTH &&
    view.getInt32(FENCE_SLOT_MAGIC_OFFSET) === WATERMARK_FENCE_MAGIC &&
    view.getInt32(FENCE_SLOT_CRC_OFFSET) === crc32(bytes.subarray(0, FENCE_SLOT_CRC_OFFSET));
  if (!isGood) return { reason, offset: 0, time: 0 };
  return { reason, offset: getInt64(view, FENCE_SLOT_DURABLE_OFFSET), time: getInt64(view, FENCE_SLOT_TIME_OFFSET) };
}
