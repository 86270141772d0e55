import test from "ava";
import { stripSource } from "#scripts/tidy/strip-source.js";

test("comments and the contents of strings leave blanks, and every line and position stays", (t) => {
  const source = 'const a = "x // y"; // say "hi"\n/* two\nlines */ const b = \'it\\\'s\';';
  const { code, comments } = stripSource(source);
  t.is(code, "const a = \"      \";            \n      \n         const b = '     ';");
  t.is(comments, '                    // say "hi"\n/* two\nlines */                   ');
});

test("a regular expression is no comment and no string, a division is no regular expression", (t) => {
  t.is(stripSource("const r = /[/\"]\\/'/g; f();").code, "const r = /       /g; f();");
  t.is(stripSource("const q = a / b / c; // d").code.trimEnd(), "const q = a / b / c;");
});

test("code inside template literals stays, their text does not", (t) => {
  t.is(stripSource("`a // ${f({ b: `c${d}` })} e`").code, "`     ${f({ b: ` ${d}` })}  `");
});

test("characters outside the basic plane keep their two positions", (t) => {
  t.is(stripSource('"😀" + 1').code, '"  " + 1');
});
