import { parseRocketMqJson } from "@millrace/format";
import test from "ava";

test("integer keys without quotes are read, at any depth", (t) => {
  t.deepEqual(parseRocketMqJson('{"offsetTable":{1:123,2 : 0,\n\t-3:4},5:[{6:"7:8"}]}'), {
    offsetTable: { "1": 123, "2": 0, "-3": 4 },
    "5": [{ "6": "7:8" }],
  });
});

test("standard JSON means what it says", (t) => {
  const value = { "1": 2, text: 'a{1:2},3:4 "5:6"\\', list: [1, -2, 3.5, 1e9, null, true], '7\\": 8': {} };
  t.deepEqual(parseRocketMqJson(JSON.stringify(value)), value);
  t.deepEqual(parseRocketMqJson(JSON.stringify(value, undefined, 2)), value);
});

test("strings that look like keys stay as they are", (t) => {
  t.deepEqual(parseRocketMqJson(String.raw`{"a\"1:2":"{3:4}","\\":5,6:7}`), { 'a"1:2': "{3:4}", "\\": 5, "6": 7 });
});

for (const text of ["", "{", '{"a":1:2}', "{1.5:2}", "{a:1}", "[1:2]", '{"a', "{1:2,}", "{a1:2}", "{'1':2}", "nonsense 1:2"]) {
  test(`this is refused: ${text}`, (t) => {
    t.throws(() => parseRocketMqJson(text), { code: "ERR_JSON_ILLEGAL", message: /reason=/ });
  });
}

test("a hostile text takes no longer than its length", (t) => {
  const started = process.cpuUsage(); // a busy machine takes longer
  for (const part of ["1", '"', '\\"', " ", "1 ", "\\"]) {
    t.throws(() => parseRocketMqJson(`{"${part.repeat(300_000)}`), { code: "ERR_JSON_ILLEGAL" });
    t.throws(() => parseRocketMqJson(`[${part.repeat(300_000)}`), { code: "ERR_JSON_ILLEGAL" });
  }
  t.true(process.cpuUsage(started).user < 10_000_000, "where the square of its length would be minutes");
});

test("a key __proto__ is a key", (t) => {
  const value = parseRocketMqJson('{"__proto__":{1:2}}') as object;
  t.deepEqual(Object.keys(value), ["__proto__"]);
  t.is(Object.getPrototypeOf(value), Object.prototype);
});
