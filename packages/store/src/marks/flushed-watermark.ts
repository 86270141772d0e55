import { crc32, getInt64, MillraceError, setInt64 } from "@millrace/format";
import { isNoSpace, type Storage, type StorageFile } from "@millrace/mapped-file";
import {
  WATERMARK_CRC_OFFSET,
  WATERMARK_EPOCH_OFFSET,
  WATERMARK_FILE_LENGTH,
  WATERMARK_FLUSHED_OFFSET_OFFSET,
  WATERMARK_MAGIC,
  WATERMARK_MAGIC_OFFSET,
  WATERMARK_SLOT_LENGTH,
  WATERMARK_SLOT_STRIDE,
  WATERMARK_SLOTS,
  WATERMARK_TIME_OFFSET,
} from "./flushed-watermark-descriptor.js";

export interface WatermarkEntry {
  readonly epoch: number;
  /** Every byte of the log before it was durable at `time`. */
  readonly flushedOffset: number;
  /** Milliseconds. */
  readonly time: number;
}

const NOTHING_FLUSHED: WatermarkEntry = { epoch: 0, flushedOffset: 0, time: 0 };

/**
 * The newest good slot; undefined when there is no file. A file with no good slot is an error and not "no watermark": recovery would take
 * damage to durable bytes for a torn tail, and cut it off. Deleting the file says that this is wanted.
 *
 * @throws MillraceError `ERR_WATERMARK_CORRUPT`
 */
export function readFlushedWatermark(storage: Storage, path: string): WatermarkEntry | undefined {
  const bytes = storage.readSmall(path);
  if (bytes === undefined) return undefined;
  let newest: WatermarkEntry | undefined;
  for (let slot = 0; slot < WATERMARK_SLOTS; slot++) {
    const start = slot * WATERMARK_SLOT_STRIDE;
    const entry = decodeSlot(bytes.subarray(start, start + WATERMARK_SLOT_LENGTH));
    if (entry !== undefined && entry.epoch > (newest?.epoch ?? -1)) newest = entry;
  }
  if (newest === undefined) {
    throw new MillraceError(
      "ERR_WATERMARK_CORRUPT",
      `no good slot in the flushed watermark; millrace salvage does without: path=${path}, length=${bytes.length}`,
    );
  }
  return newest;
}

/** Written by one thread, the one that forces the log, and only after a force that succeeded. */
export class FlushedWatermark {
  readonly #storage: Storage;
  readonly #path: string;
  readonly #slot = new Uint8Array(WATERMARK_SLOT_LENGTH);
  #file: StorageFile | undefined;
  #last: WatermarkEntry;

  private constructor(storage: Storage, path: string, last: WatermarkEntry) {
    this.#storage = storage;
    this.#path = path;
    this.#last = last;
  }

  /**
   * Makes the file if there is none; on a full disk the first {@link write} does.
   *
   * @throws MillraceError `ERR_WATERMARK_CORRUPT`
   */
  static open(storage: Storage, path: string): FlushedWatermark {
    const last = readFlushedWatermark(storage, path) ?? NOTHING_FLUSHED;
    const watermark = new FlushedWatermark(storage, path, last);
    try {
      watermark.#openFile();
    } catch (error) {
      if (!isNoSpace(error)) throw error;
    }
    return watermark;
  }

  get last(): WatermarkEntry {
    return this.#last;
  }

  /**
   * Durable on return. After a failure the last good slot still stands, and the next write goes where this one went.
   *
   * @throws MillraceError `ERR_WATERMARK_BACKWARDS`; I/O errors as they are
   */
  write(flushedOffset: number, time: number): void {
    if (flushedOffset < this.#last.flushedOffset) {
      throw new MillraceError(
        "ERR_WATERMARK_BACKWARDS",
        `durable bytes stay durable: flushedOffset=${flushedOffset}, last=${this.#last.flushedOffset}`,
      );
    }
    const next = { epoch: this.#last.epoch + 1, flushedOffset, time };
    encodeSlot(this.#slot, next);
    const file = this.#openFile();
    file.write(this.#slot, slotOf(next.epoch) * WATERMARK_SLOT_STRIDE);
    file.force();
    this.#last = next;
  }

  close(): void {
    this.#file?.close();
  }

  /** A new file gets its first slot before it gets its name, so that there is a good slot always. */
  #openFile(): StorageFile {
    this.#file ??= this.#storage.exists(this.#path) ? this.#openForced() : this.#makeFile();
    return this.#file;
  }

  #makeFile(): StorageFile {
    const content = new Uint8Array(WATERMARK_FILE_LENGTH);
    encodeSlot(content, this.#last);
    this.#storage.writeSmall(this.#path, content);
    return this.#storage.open(this.#path, "write");
  }

  /** A killed life may not have forced the slot that counts, and a power failure may tear all that is not forced, this one and the next. */
  #openForced(): StorageFile {
    const file = this.#storage.open(this.#path, "write");
    try {
      file.force();
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }
}

function slotOf(epoch: number): number {
  return epoch % WATERMARK_SLOTS;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, WATERMARK_SLOT_LENGTH);
}

function encodeSlot(bytes: Uint8Array, entry: WatermarkEntry): void {
  const view = viewOf(bytes);
  view.setInt32(WATERMARK_MAGIC_OFFSET, WATERMARK_MAGIC);
  setInt64(view, WATERMARK_EPOCH_OFFSET, entry.epoch);
  setInt64(view, WATERMARK_FLUSHED_OFFSET_OFFSET, entry.flushedOffset);
  setInt64(view, WATERMARK_TIME_OFFSET, entry.time);
  view.setInt32(WATERMARK_CRC_OFFSET, crc32(bytes.subarray(0, WATERMARK_CRC_OFFSET)));
}

function decodeSlot(bytes: Uint8Array): WatermarkEntry | undefined {
  if (bytes.length < WATERMARK_SLOT_LENGTH) return undefined;
  const view = viewOf(bytes);
  if (view.getInt32(WATERMARK_MAGIC_OFFSET) !== WATERMARK_MAGIC) return undefined;
  if (view.getInt32(WATERMARK_CRC_OFFSET) !== crc32(bytes.subarray(0, WATERMARK_CRC_OFFSET))) return undefined;
  const epoch = getInt64(view, WATERMARK_EPOCH_OFFSET);
  return { epoch, flushedOffset: getInt64(view, WATERMARK_FLUSHED_OFFSET_OFFSET), time: getInt64(view, WATERMARK_TIME_OFFSET) };
}
