import { PAGE_LENGTH, type Storage, type StorageFile } from "@millrace/mapped-file";

const BLOCK_LENGTH = 1024 * 1024;

/**
 * A file of a damaged disk, where each page may take the disk seconds: zeros for those that cannot be read.
 *
 * @param turn after each block, and each page of one that cannot be read as a whole; what it rejects with ends the reading
 */
export async function readFileWhatCan(
  storage: Storage,
  path: string,
  target: Uint8Array,
  turn: () => Promise<void>,
): Promise<void> {
  const file = storage.open(path, "read");
  try {
    for (let at = 0; at < target.length; at += BLOCK_LENGTH) {
      const block = target.subarray(at, at + BLOCK_LENGTH);
      if (!isRead(file, block, at)) await readPages(file, block, at, turn);
      await turn();
    }
  } finally {
    file.close();
  }
}

async function readPages(file: StorageFile, block: Uint8Array, position: number, turn: () => Promise<void>): Promise<void> {
  for (let at = 0; at < block.length; at += PAGE_LENGTH) {
    const page = block.subarray(at, at + PAGE_LENGTH);
    if (!isRead(file, page, position + at)) page.fill(0);
    await turn();
  }
}

function isRead(file: StorageFile, target: Uint8Array, position: number): boolean {
  try {
    file.read(target, position);
    return true;
  } catch {
    return false;
  }
}
