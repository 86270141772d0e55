/** One check of the store that a control takes out: a piece of a compiled module, and what stands there instead. */
export interface ControlEdit {
  /** What the module's address ends in. */
  readonly module: string;
  readonly from: string;
  readonly to: string;
}

export interface Control {
  readonly campaign: string;
  /** Which of the campaign's kinds must notice. */
  readonly kind: string;
  readonly edits: readonly ControlEdit[];
}

/** By name. With one of these, the campaign has to find cases that are not right. */
export const CONTROLS: Readonly<Record<string, Control>> = {
  "CRC check off": {
    campaign: "flips",
    kind: "commit log, older",
    edits: [{ module: "/format/dist/message-checker.js", from: "return checkCrc ?", to: "return false ?" }],
  },
  "unit check off": {
    campaign: "flips",
    kind: "ConsumeQueue",
    edits: [
      { module: "/store/dist/read/unit-verifier.js", from: "if (unit.isFill)", to: "if (true || unit.isFill)" },
      { module: "/store/dist/clean/store-cleaner.js", from: "this.#scrubber.start();", to: "void 0;" },
    ],
  },
  "any file will do": {
    campaign: "directories",
    kind: "millrace.watermark, link to somebody's copy of it",
    edits: [
      { module: "/mapped-file/dist/regular-file.js", from: "constants.O_NOFOLLOW |", to: "0 |" },
      { module: "/mapped-file/dist/regular-file.js", from: "!fstatSync(fd).isFile()", to: "false" },
    ],
  },
  "fence off": {
    campaign: "calls",
    kind: "fdatasync, commitlog",
    edits: [
      {
        module: "/store/dist/marks/fencing-force.js",
        from: "throw hasForcedNothing(cause) ? cause : this.#failed(durable, cause);",
        to: "return;",
      },
    ],
  },
  "force stubbed": {
    campaign: "power",
    kind: "sync",
    edits: [
      { module: "/mapped-file/dist/real-storage-file.js", from: "fdatasyncSync(this.#fd);", to: "void 0;" },
      { module: "/mapped-file/dist/native-mapping.js", from: "mmap.sync(this.bytes, position, length, true);", to: "void 0;" },
    ],
  },
  "bytes ahead are holes": {
    campaign: "disks",
    kind: "",
    edits: [
      {
        module: "/mapped-file/dist/zero-fill.js",
        from: "file.write(ZEROS.subarray(0, next - at), at);",
        to: "if (file.size() < next) file.write(ZEROS.subarray(0, 1), next - 1);",
      },
    ],
  },
  "acknowledged from memory": {
    campaign: "kills",
    kind: "",
    edits: [
      {
        module: "/store/dist/config/message-store-config.js",
        from: "const merged = { ...DEFAULTS, ...given };",
        to: `const merged = { ...DEFAULTS, ...given, transientStorePoolEnable: true, writeWithoutMmap: false,
          flushDiskType: "ASYNC_FLUSH", commitIntervalCommitLog: 60_000, flushIntervalCommitLog: 60_000 };`,
      },
    ],
  },
};
