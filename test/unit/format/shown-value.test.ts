import { shownValue } from "@millrace/format";
import test from "ava";

test("a value is shown on one line: text in quotes, an object by its fields", (t) => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const shown: [unknown, string][] = [
    ["text\nof two lines", '"text\\nof two lines"'],
    [5, "5"],
    [5n, "5"],
    [undefined, "undefined"],
    [null, "null"],
    [Symbol("s"), "Symbol(s)"],
    [{ address: "nowhere", port: 1 }, "{ address: 'nowhere', port: 1 }"],
    [{ n: 2n }, "{ n: 2n }"],
    [Object.create(null), "[Object: null prototype] {}"],
    [new Date(Number.NaN), "Invalid Date"],
    [circle, "<ref *1> { self: [Circular *1] }"],
    [Buffer.from([1, 2]), "<Buffer 01 02>"],
    [new Error("of\ntwo lines"), "Error: of two lines"],
    [(): void => {}, "() => { }"],
  ];
  for (const [value, text] of shown) t.is(shownValue(value), text);
  t.is(shownValue("x".repeat(1000)), `"${"x".repeat(299)}…`);
});
