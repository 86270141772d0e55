import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MessageChecker, MessageVerdict, messageVerdictName, parseSegmentFileName } from "@millrace/format";
import { type DecodedMessage, decodeMessage } from "./message-decoder.js";

/** What a scan of the segments on disk meets, by nothing but `@millrace/format`. */
export interface StoredLog {
  readonly messages: DecodedMessage[];
  /** Offset → length of each END_OF_FILE record. */
  readonly blanks: Map<number, number>;
  /** Behind the last record. */
  readonly end: number;
  /** Verdict at {@link end}. */
  readonly ending: string;
  /** Whether only zeros follow, to the end of the last segment. */
  readonly zerosBehind: boolean;
}

interface Segment {
  readonly offset: number;
  readonly bytes: Buffer;
}

export function readSegments(root: string): Segment[] {
  const directory = join(root, "commitlog");
  return readdirSync(directory)
    .sort()
    .map((name) => ({ offset: parseSegmentFileName(name) ?? -1, bytes: readFileSync(join(directory, name)) }));
}

/** The directory may be open: what is written but not forced is read too. */
export function readLog(root: string): StoredLog {
  const messages: DecodedMessage[] = [];
  const blanks = new Map<number, number>();
  const segments = readSegments(root);
  const checker = new MessageChecker();
  let end = segments[0]?.offset ?? 0;
  let ending = "NO_SEGMENT";
  for (const [index, { offset, bytes }] of segments.entries()) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let position = 0;
    let verdict = 0;
    for (;;) {
      verdict = checker.check(view, bytes, position, bytes.length, offset + position, true);
      if (verdict <= 0) break;
      messages.push(decodeMessage(bytes, position));
      position += verdict;
    }
    end = offset + position;
    ending = messageVerdictName(verdict);
    if (verdict === MessageVerdict.BLANK) blanks.set(end, checker.blankLength);
    else return { messages, blanks, end, ending, zerosBehind: isZero(segments.slice(index), position) };
  }
  return { messages, blanks, end, ending, zerosBehind: true };
}

function isZero(segments: readonly Segment[], position: number): boolean {
  return segments.every(({ bytes }, index) => {
    const rest = index === 0 ? bytes.subarray(position) : bytes;
    return rest.equals(Buffer.alloc(rest.length));
  });
}

/** Contents of all files below a directory, by relative path: equal when nothing was touched. */
export function contents(root: string): Map<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files
      .map((file) => join(file.parentPath, file.name))
      .sort()
      .map((path) => [path, readFileSync(path).toString("base64")]),
  );
}
