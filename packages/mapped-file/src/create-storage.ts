import { FaultyStorage } from "./faulty-storage.js";
import { RealStorage } from "./real-storage.js";
import type { Storage, StorageSpec } from "./storage.js";

export function createStorage(spec: StorageSpec): Storage {
  const real = new RealStorage(spec.fileMode);
  return spec.kind === "real" ? real : new FaultyStorage(real, spec.faults);
}
