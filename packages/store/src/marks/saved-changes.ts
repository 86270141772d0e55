/**
 * Counts what has changed since it was saved. One save is under way at a time; who wants what has changed since it began to be saved
 * waits for it, and then saves again.
 */
export class SavedChanges {
  #changes = 0;
  #saved = 0;
  #saving: Promise<void> | undefined;

  /** Something has changed. */
  add(): void {
    this.#changes++;
  }

  get isSaved(): boolean {
    return this.#saved === this.#changes;
  }

  /** All that has ever changed is to be saved again: somebody else has written the file. */
  forget(): void {
    this.#saved = 0;
  }

  /** Resolves when all that has changed so far is saved. @param write takes what there is when it is called, and rejects when it fails */
  async save(write: () => Promise<void>): Promise<void> {
    const wanted = this.#changes;
    while (this.#saved < wanted) {
      if (this.#saving !== undefined) {
        await this.#saving.catch(() => {}); // its own caller hears of it
        continue;
      }
      this.#saving = this.#write(write);
      await this.#saving;
    }
  }

  async #write(write: () => Promise<void>): Promise<void> {
    const changes = this.#changes;
    try {
      await write();
      this.#saved = changes;
    } finally {
      this.#saving = undefined;
    }
  }
}
