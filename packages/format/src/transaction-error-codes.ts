import type { ErrorCodeText } from "./error-code-text.js";

/** The codes of transactions. */
export const TRANSACTION_ERROR_CODES = {
  ERR_TRANSACTION_DECIDED: {
    meaning: "The half message has been committed or rolled back before, or just is being.",
    remedy: "Nothing is left to be done.",
  },
  ERR_TRANSACTION_DELAYED: {
    meaning: "A message in a transaction cannot be delayed.",
    remedy: "Leave delayTimeLevel out.",
  },
  ERR_TRANSACTION_TIMEOUT: {
    meaning: "The half message has been put but could not be read yet.",
    remedy: "Commit or roll back again a little later.",
  },
  ERR_TRANSACTION_UNKNOWN: {
    meaning: "There is no half message of this name, or it has gone with its segment.",
    remedy: "Give what prepareMessage has answered, or what undecidedMessages yields.",
  },
  ERR_TRANSACTION_UNRECORDED: {
    meaning: "The message is committed, but the record of it could not be put.",
    remedy: "Commit again: only what is missing is put.",
  },
} as const satisfies Readonly<Record<string, ErrorCodeText>>;
