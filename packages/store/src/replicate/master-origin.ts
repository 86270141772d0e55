import { connect } from "node:net";
import { HA_REPORT_LENGTH } from "@millrace/format";
import { parsePeerAddress } from "../config/ha-options.js";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { TransferReader } from "./transfer-reader.js";

/** A RocketMQ master without a message says nothing for `haSendHeartbeatInterval`; then it does not matter. */
const ANSWER_TIMEOUT_MS = 2000;

/**
 * Where the log of a slave that has nothing is to begin: at the start of the first segment that its master sends to such a slave (of a
 * RocketMQ master the last one that it has). Undefined when the master cannot be asked now: then it begins at 0, which is right for a
 * master that is as new.
 */
export async function masterOrigin(config: MessageStoreConfig, signal: AbortSignal | undefined): Promise<number | undefined> {
  const address = parsePeerAddress(config.haMasterAddress);
  if (address === undefined) return undefined;
  const socket = connect({ ...address, noDelay: true });
  try {
    return await new Promise<number | undefined>((resolve) => {
      const giveUp = (): void => resolve(undefined);
      socket.setTimeout(ANSWER_TIMEOUT_MS, giveUp);
      signal?.addEventListener("abort", giveUp, { once: true });
      socket.once("connect", () => socket.write(new Uint8Array(HA_REPORT_LENGTH)));
      socket.once("error", giveUp).once("close", giveUp);
      const reader = new TransferReader();
      const onHeader = (offset: number): void => resolve(offset % config.mappedFileSizeCommitLog === 0 ? offset : undefined);
      socket.on("data", (chunk) => {
        try {
          reader.push(chunk, { onHeader, onBody: () => {} });
        } catch {
          giveUp(); // whoever follows will say what is wrong
        }
      });
    });
  } finally {
    socket.destroy();
  }
}
