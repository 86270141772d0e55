/** Module hooks: the modules of the control that the environment names are loaded with its edits. */
import type { LoadHook } from "node:module";
import { CONTROLS } from "./control-edits.js";
import { CONTROL_VARIABLE } from "./control-environment.js";

const edits = CONTROLS[process.env[CONTROL_VARIABLE] ?? ""]?.edits ?? [];

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  const own = edits.filter(({ module }) => url.endsWith(module));
  if (own.length === 0) return loaded;
  let source = Buffer.from(loaded.source as Uint8Array).toString();
  for (const { module, from, to } of own) {
    // A hook of a thread runs after that of the main thread.
    if (!source.includes(from) && source.includes(to)) continue;
    if (!source.includes(from)) throw new Error(`the control has nothing to take out any more: module=${module} text=${from}`);
    source = source.replace(from, to);
  }
  return { ...loaded, source };
};
