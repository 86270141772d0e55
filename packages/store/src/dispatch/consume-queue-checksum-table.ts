import { dirname } from "node:path";
import type { Storage } from "@millrace/mapped-file";
import {
  type ConsumeQueueChecksums,
  checksumKey,
  type FileChecksum,
  readConsumeQueueChecksums,
  writeConsumeQueueChecksums,
} from "../marks/consume-queue-checksums.js";
import type { ConsumeQueue } from "./consume-queue.js";

/**
 * The checksums of all ConsumeQueues' files, as they are noted beside the mark: what a round has made durable is noted when it ends.
 * Dispatch thread, which writes the file.
 */
export class ConsumeQueueChecksumTable {
  readonly #storage: Storage;
  readonly #path: string;
  readonly #queues: ConsumeQueueChecksums;
  /** As they were when the round began; those of a round that did not end are noted by the next. */
  #round: { readonly key: string; readonly checksum: FileChecksum }[] = [];
  #isChanged = false;

  constructor(storage: Storage, path: string) {
    this.#storage = storage;
    this.#path = path;
    this.#queues = readConsumeQueueChecksums(storage, path);
  }

  /**
   * Once the queues of this life are known, and nothing has been written to them: drops what an earlier life has left of queues that are
   * no more, and notes what is left.
   *
   * @param directories of the queues
   */
  keepOnly(directories: Iterable<string>): void {
    const known = new Set(Array.from(directories, checksumKey));
    for (const key of this.#queues.keys()) {
      if (known.has(key)) continue;
      this.#queues.delete(key);
      this.#isChanged = true;
    }
    this.endRound();
  }

  /** What is noted of the queue's files, without what recovery has cut from it: it will be written again. */
  of(directory: string, maxOffset: number): FileChecksum[] {
    const key = checksumKey(directory);
    const noted = this.#queues.get(key) ?? [];
    const kept = noted.filter(({ fileStart, count }) => fileStart + count <= maxOffset);
    if (kept.length < noted.length) {
      this.#queues.set(key, kept);
      this.#isChanged = true;
    }
    return kept;
  }

  /** The queue's files that begin below unit `fileStart` are deleted; no unit will come in their places. */
  forgetBelow(directory: string, fileStart: number): void {
    this.#forget(checksumKey(directory), fileStart);
  }

  /**
   * These queues are deleted. Others may come in their places at once, and nothing may be said of those: it is forgotten durably. A full
   * disk takes that: without the file nothing is known of any queue.
   */
  forgetQueues(directories: Iterable<string>): void {
    for (const directory of directories) this.#forget(checksumKey(directory), Number.POSITIVE_INFINITY);
    if (!this.#isChanged) return;
    try {
      this.#write();
    } catch {
      this.#storage.remove(this.#path);
      this.#storage.syncDirectory(dirname(this.#path));
    }
  }

  /** A round begins that makes everything durable that has been written. */
  beginRound(queues: Iterable<ConsumeQueue | undefined>): void {
    for (const queue of queues) {
      if (queue === undefined) continue;
      const key = checksumKey(queue.directory);
      for (const checksum of queue.takeChecksums()) this.#round.push({ key, checksum });
    }
  }

  /** It has. @throws errors of the disk; then the next round notes what this one has not */
  endRound(): void {
    for (const { key, checksum } of this.#round) {
      const others = (this.#queues.get(key) ?? []).filter(({ fileStart }) => fileStart !== checksum.fileStart);
      this.#queues.set(key, [...others, checksum]);
      this.#isChanged = true;
    }
    this.#round = [];
    if (this.#isChanged) this.#write();
  }

  #write(): void {
    writeConsumeQueueChecksums(this.#storage, this.#path, this.#queues);
    this.#isChanged = false;
  }

  #forget(key: string, fileStart: number): void {
    this.#round = this.#round.filter((noted) => noted.key !== key || noted.checksum.fileStart >= fileStart);
    const noted = this.#queues.get(key);
    if (noted === undefined) return;
    const kept = noted.filter((one) => one.fileStart >= fileStart);
    if (kept.length > 0) this.#queues.set(key, kept);
    else this.#queues.delete(key);
    this.#isChanged = true;
  }
}
