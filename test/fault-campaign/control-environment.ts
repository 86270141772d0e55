import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { LifeEnvironment } from "./life-process.js";

export const CONTROL_VARIABLE = "MILLRACE_FAULT_CONTROL";

/** Of lives in which a check of the store is taken out. */
export function controlEnvironment(name: string): LifeEnvironment {
  const hook = pathToFileURL(join(import.meta.dirname, "control-hook.js")).href;
  return { imports: [hook], env: { [CONTROL_VARIABLE]: name } };
}
