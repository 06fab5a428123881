import assert from "node:assert/strict";
import fc from "fast-check";
import { utf8 } from "../enclave/protocol/bytes.ts";
import { Refusal } from "../enclave/protocol/refusal.ts";
import { encodeMetadata, type Json, type Metadata, parseMetadata } from "./metadata.ts";

const METADATA: Metadata = {
  imageName: "vramhub",
  imageVersion: "1.0",
  buildTime: "1970-01-01T00:00:00Z",
  buildTool: "tool",
  buildToolVersion: "1",
  operatingSystem: "Linux",
  kernelVersion: "6.12",
  dockerInfo: null,
  customMetadata: { b: [1, true], a: null },
};
const TEXT = new TextDecoder().decode(encodeMetadata(METADATA));

function custom(customMetadata: unknown): Uint8Array {
  return encodeMetadata({ ...METADATA, customMetadata: customMetadata as Json });
}

// That AWS's tool writes the same bytes is held by the images of `eif.json`.
Deno.test("encodeMetadata: has AWS's keys in AWS's order, and custom ones sorted", () => {
  assert.equal(
    TEXT,
    '{"ImageName":"vramhub","ImageVersion":"1.0","BuildMetadata":{"BuildTime":' +
      '"1970-01-01T00:00:00Z","BuildTool":"tool","BuildToolVersion":"1","OperatingSystem":' +
      '"Linux","KernelVersion":"6.12"},"DockerInfo":null,"CustomMetadata":{"a":null,"b":[1,true]}}',
  );
});

Deno.test("encodeMetadata: refuses what others would print in another way", () => {
  const deep = JSON.parse("[".repeat(40) + "]".repeat(40));
  for (const value of [0.5, -0, 2 ** 53, NaN, "\ud800", { "\udfff": 1 }, undefined, 1n, deep]) {
    assert.throws(() => custom(value), TypeError);
  }
  assert.throws(() => encodeMetadata({ ...METADATA, imageName: "\ud800" }), TypeError);
});

Deno.test("parseMetadata: gives back what was written", () => {
  const text = fc.string({ unit: "binary", maxLength: 8 });
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, true, false),
      text,
      fc.maxSafeInteger().map((number) => number + 0),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(text, tie("value"), { maxKeys: 3, noNullPrototype: true }),
    ),
  }));
  fc.assert(fc.property(text, value, (imageName, customMetadata) => {
    // An own key `__proto__` does not outlive a copy.
    fc.pre(!JSON.stringify(customMetadata).includes("__proto__"));
    const metadata = { ...METADATA, imageName, customMetadata };
    assert.deepEqual(parseMetadata(encodeMetadata(metadata)), metadata);
  }));
});

Deno.test("parseMetadata: refuses every other spelling", () => {
  const wrong = [
    "",
    "null",
    "[]",
    TEXT.slice(0, -1),
    `${TEXT} `,
    `\ufeff${TEXT}`,
    TEXT.replace('"1.0"', "1.0"),
    TEXT.replace('"ImageName":"vramhub",', ""),
    TEXT.replace('"DockerInfo":null,', ""),
    TEXT.replace('"ImageName":"vramhub",', '"ImageName":"x","ImageName":"vramhub",'),
    TEXT.replace('"ImageVersion"', '"Other":1,"ImageVersion"'),
    TEXT.replace('"a":null,"b":[1,true]', '"b":[1,true],"a":null'),
    TEXT.replace("[1,true]", "[1.0,true]"),
    TEXT.replace("[1,true]", "[0.5,true]"),
    TEXT.replace("vramhub", "\\u0076ramhub"),
  ];
  for (const [i, text] of wrong.entries()) {
    assert.throws(() => parseMetadata(utf8(text)), (error) => {
      return error instanceof Refusal && error.code === "bad_metadata";
    }, `number ${i}`);
  }
  assert.throws(() => parseMetadata(new Uint8Array([0x22, 0xff, 0x22])), { code: "bad_metadata" });
  const huge = { size: 1_048_577, read: () => assert.fail("read") };
  assert.throws(() => parseMetadata(huge), { code: "too_large" });
});
