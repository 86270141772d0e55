import { SERVICES } from "#store/pipeline/services.js";
import { bundlesOf } from "#store/pipeline/worker-bundle.js";

/**
 * Flags of Node's for a program that imports the public face of `@millrace/store` and nothing of its inside: it loads the few files that
 * users load, and starts in half the time. None where something has been compiled since the set-up made these files.
 */
export function bundledStore(): readonly string[] {
  const { worker } = SERVICES.append;
  return bundlesOf()(worker) === worker ? [] : ["--conditions=bundled"];
}
