import assert from "node:assert/strict";
import fc from "fast-check";
import { parseDotenv } from "./dotenv.ts";
import { ConfigError } from "./error.ts";

const values = (source: string) =>
  Object.fromEntries(parseDotenv(source, ".env").map(({ name, value }) => [name, value]));

Deno.test("parseDotenv: takes names, quotes, exports and comments", () => {
  assert.deepEqual(
    values(`\ufeff# a comment
A=1
export B = two words  # the rest
C='single # quoted'
D="double \\"quoted\\"\\n" # and more
E=
F=a#b

  G=x\r
`),
    {
      A: "1",
      B: "two words",
      C: "single # quoted",
      D: 'double "quoted"\n',
      E: "",
      F: "a#b",
      G: "x",
    },
  );
});

Deno.test("parseDotenv: a line that is none is refused by number, its text not shown", () => {
  for (
    const line of ["secret words", "=x", "1A=x", 'A="open secret', "A='open", "A='x' y", "A-B=1"]
  ) {
    assert.throws(() => parseDotenv(`OK=1\n${line}\n`, "./.env"), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.code, "bad_line");
      assert.match(error.message, /^Cannot read \.\/\.env as line 2 /);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    }, line);
  }
});

Deno.test("parseDotenv: gives back what was written in single quotes", () => {
  fc.assert(
    fc.property(fc.string().filter((text) => !/['\r\n]/.test(text)), (text) => {
      assert.equal(values(`A='${text}'\n`).A, text);
    }),
  );
});

Deno.test("parseDotenv: any text is read or refused, never anything else", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      try {
        parseDotenv(text, ".env");
      } catch (error) {
        assert.ok(error instanceof ConfigError);
      }
    }),
  );
});
