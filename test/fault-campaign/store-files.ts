import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { CaseRules } from "./fault-campaign.js";

export interface FileKind {
  readonly paths: string[];
  readonly rules: CaseRules;
}

const MAY_REFUSE: CaseRules = { mayRefuse: true, isExcepted: false };
const REBUILT: CaseRules = { mayRefuse: false, isExcepted: false };
const NO_CHECKSUM: CaseRules = { mayRefuse: true, isExcepted: true };
/** Recovery never trusts the last segments unread. */
const LAST_SEGMENTS = 3;

/** Kinds of file by where they lie, the first that fits; what lies nowhere here is a kind of its own, and can be made again. */
const KINDS: readonly (readonly [pattern: RegExp, kind: string, rules: CaseRules])[] = [
  [/^consumequeue\//, "ConsumeQueue", REBUILT],
  [/^index\//, "index", REBUILT],
  [/^config\/(consumerOffset|delayOffset)\.json(\.bak)?$/, "$1.json", NO_CHECKSUM],
  [/^(millrace\.(watermark|fence))/, "$1", MAY_REFUSE],
];

/** The files of a store that hold something, by kind. */
export function fileKinds(root: string, segmentSize: number): Map<string, FileKind> {
  const kinds = new Map<string, FileKind>();
  const add = (kind: string, path: string, rules: CaseRules): void => {
    const known = kinds.get(kind) ?? { paths: [], rules };
    known.paths.push(path);
    kinds.set(kind, known);
  };
  const files = filesBelow(root).filter((path) => statSync(path).size > 0);
  const segments = files.filter((path) => relative(root, path).startsWith("commitlog/"));
  const used = segments.filter((path) => statSync(path).size === segmentSize && readFileSync(path).some((byte) => byte !== 0));
  for (const path of segments) {
    const isUsed = used.includes(path);
    const isLast = used.slice(-LAST_SEGMENTS).includes(path);
    add(isUsed ? `commit log, ${isLast ? "last" : "older"} segments` : "commit log, ready ahead", path, MAY_REFUSE);
  }
  for (const path of files) {
    const name = relative(root, path);
    if (name.startsWith("commitlog/")) continue;
    const [pattern, kind = name, rules = REBUILT] = KINDS.find(([candidate]) => candidate.test(name)) ?? [];
    const found = pattern === undefined ? null : pattern.exec(name);
    add(kind.replace("$1", found?.[1] ?? "").replace(/\d{5,}/g, "…"), path, rules);
  }
  return kinds;
}

export function filesBelow(root: string): string[] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => join(entry.parentPath, entry.name)).sort();
}
