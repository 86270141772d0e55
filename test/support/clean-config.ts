import type { MessageStoreConfig, MessageStoreOptions } from "@millrace/store";
import { resolveConfig } from "#store/config/message-store-config.js";

/** Options complete, of a store that nobody opens. */
export function storeConfig(options: MessageStoreOptions = {}): MessageStoreConfig {
  return resolveConfig({ storePathRootDir: "/nowhere", ...options });
}
