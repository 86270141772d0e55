import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { projectRoot } from "../support/project-root.js";
import { CALLS, type Call, PATH_KINDS, type PathKind } from "./call-counts.js";
import type { LifeEnvironment } from "./life-process.js";

/** One planned failure: from the `first`-th such call on, `times` calls fail. Error 0 is a short read or write. */
export interface CallPlan {
  readonly call: Call;
  readonly kind: PathKind;
  readonly first: number;
  readonly times: number;
  readonly errno: number;
}

export type CallShim = { readonly library: string } | { readonly missing: string };

/** Compiles the shim into a directory, or says in words what this machine lacks. */
export function compileShim(directory: string): CallShim {
  if (process.platform !== "linux") return { missing: "LD_PRELOAD is Linux's" };
  const library = join(directory, "failing-calls.so");
  const source = join(projectRoot(), "test", "fault-campaign", "failing-calls.c");
  const compiler = process.env.CC ?? "cc";
  const { status, error, stderr } = spawnSync(compiler, ["-O1", "-shared", "-fPIC", "-o", library, source, "-ldl", "-lpthread"], {
    encoding: "utf8",
  });
  if (error !== undefined) return { missing: `no C compiler: ${compiler}` };
  if (status !== 0) throw new Error(`the shim does not compile: ${stderr}`);
  return { library };
}

/** Of a life under the shim. */
export function shimEnvironment(library: string, root: string, counts: string, plan?: CallPlan): LifeEnvironment {
  const numbers = plan && [CALLS.indexOf(plan.call), PATH_KINDS.indexOf(plan.kind), plan.first, plan.times, plan.errno];
  return {
    env: {
      LD_PRELOAD: library,
      UV_USE_IO_URING: "0",
      MILLRACE_FAULT_ROOT: root,
      MILLRACE_FAULT_COUNTS: counts,
      ...(numbers === undefined ? {} : { MILLRACE_FAULT_PLAN: numbers.join(" ") }),
    },
  };
}
