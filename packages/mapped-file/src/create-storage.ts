import { FaultyStorage } from "./faulty-storage.js";
import { RealStorage } from "./real-storage.js";
import type { Storage, StorageSpec } from "./storage.js";
import { WriteBackStorage } from "./write-back-storage.js";

export function createStorage(spec: StorageSpec): Storage {
  const real = new RealStorage(spec.fileMode);
  if (spec.kind === "real") return real;
  return spec.kind === "faulty" ? new FaultyStorage(real, spec.faults) : new WriteBackStorage(spec, real);
}
