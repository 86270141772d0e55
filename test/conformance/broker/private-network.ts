import { spawn, spawnSync } from "node:child_process";

const INSIDE = "MILLRACE_PRIVATE_NETWORK";
const UP = "ip link set lo up";

/** Whether this process runs in a network namespace of its own, or can have none. */
export function isNetworkSettled(): boolean {
  return process.env[INSIDE] !== undefined;
}

export function isNetworkPrivate(): boolean {
  return process.env[INSIDE] === "yes";
}

/** Starts this program again, in a network namespace of its own where the system gives one. Resolves with its exit code. */
export async function restartInPrivateNetwork(script: string, args: readonly string[]): Promise<number> {
  const isPossible = spawnSync("unshare", ["-rn", "sh", "-c", UP], { stdio: "ignore" }).status === 0;
  const node = [process.execPath, script, ...args];
  const command = isPossible ? ["unshare", "-rn", "sh", "-c", `${UP} && exec "$@"`, "sh", ...node] : node;
  const child = spawn(command[0] as string, command.slice(1), {
    stdio: "inherit",
    env: { ...process.env, [INSIDE]: isPossible ? "yes" : "no" },
  });
  process.on("exit", () => child.kill("SIGTERM"));
  return await new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
}
