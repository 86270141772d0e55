import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { ROOMS } from "#scripts/tidy/rooms.js";
import { ControlBlock } from "#shared-memory/control-block.js";
import type { Role } from "#shared-memory/control-block-descriptor.js";
import { OwnedCounter } from "#shared-memory/counter.js";
import { projectRoot } from "../support/project-root.js";

const architecture = readFileSync(join(projectRoot(), "ARCHITECTURE.md"), "utf8");

/** Cells of the table rows below a heading, as far as the next one. */
function rowsBelow(heading: string): string[][] {
  const [, section = ""] = architecture.split(`\n## ${heading}\n`);
  const [own = ""] = section.split("\n## ");
  const lines = own.split("\n").filter((line) => line.startsWith("| `"));
  return lines.map((line) => line.split("|").map((cell) => cell.trim()));
}

test("ARCHITECTURE.md has a row for each room of the store, with its thread", (t) => {
  const rows = rowsBelow("Rooms and their threads").map(([, room = "", thread = ""]) => [room.replaceAll("`", ""), thread]);
  const rooms = Object.entries(ROOMS["packages/store/src"] ?? {}).map(([room, { thread }]) => [room, thread]);
  t.deepEqual(rows, rooms);
});

test("ARCHITECTURE.md says of each room which rooms it may use", (t) => {
  const rooms = ROOMS["packages/store/src"] ?? {};
  const inWords = ["recover", "open"]; // "the four above", "all of main's"
  const named = rowsBelow("Rooms and their threads").map(([, room = "", , uses = ""]) => {
    return [room.replaceAll("`", ""), [...uses.matchAll(/`([a-z/]+)`/g)].map((match) => match[1]).sort()] as const;
  });
  for (const [room, uses] of named.filter(([room]) => !inWords.includes(room))) {
    t.deepEqual(uses, [...(rooms[room]?.uses ?? [])].sort(), room);
  }
});

test("ARCHITECTURE.md gives each shared word that it names to its owner", (t) => {
  const buffer = ControlBlock.create({});
  const rows = rowsBelow("Who owns which shared word").filter(([, words = ""]) => !words.includes("…"));
  t.true(rows.length >= 18);
  for (const [, words = "", , owners = ""] of rows) {
    const [first = "", ...others] = owners.split(", ");
    for (const [i, [, word = ""]] of [...words.matchAll(/`(\w+)`/g)].entries()) {
      const owner = i === 0 ? first : (others[i - 1] ?? first);
      const { counters } = ControlBlock.attach(buffer, owner as Role);
      t.true(counters[word as keyof typeof counters] instanceof OwnedCounter, `${word} is ${owner}'s`);
    }
  }
});
