import { deepEqual, equal, throws } from "node:assert/strict";
import { concat } from "../protocol/bytes.ts";
import { manifestOf, paramManifest } from "./params.ts";
import { PRESETS } from "./presets.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  safetensorsHeader,
  safetensorsParts,
  safetensorsSize,
} from "./safetensors.ts";

const manifest = manifestOf({ b: [2], a: [1, 3] });
const theta = Float32Array.of(1, -2, 0.5, NaN, -0);
const file = encodeSafetensors(manifest, theta);
const bits = (x: Float32Array) => [...new Uint32Array(x.slice().buffer)];

Deno.test("encodeSafetensors: the header by hand", () => {
  const json = '{"a":{"dtype":"F32","shape":[1,3],"data_offsets":[0,12]},' +
    '"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}';
  const length = Math.ceil(json.length / 8) * 8;
  // The header's length, u64le.
  deepEqual([...file.subarray(0, 8)], [length, 0, 0, 0, 0, 0, 0, 0]);
  equal(new TextDecoder().decode(file.subarray(8, 8 + length)), json.padEnd(length, " "));
  // 1.0 is 0x3f800000, little endian.
  deepEqual([...file.subarray(8 + length, 12 + length)], [0x00, 0x00, 0x80, 0x3f]);
  equal(file.length, safetensorsSize(manifest));
});

Deno.test("decodeSafetensors: gives back the very bits, wherever the file lies", () => {
  for (let shift = 0; shift < 8; shift++) {
    const buffer = new Uint8Array(file.length + shift);
    buffer.set(file, shift);
    const decoded = decodeSafetensors(manifest, buffer.subarray(shift));
    deepEqual(bits(decoded), bits(theta));
    equal(decoded.buffer === buffer.buffer, shift % 4 === 0, "a view where it can be one");
  }
});

Deno.test("decodeSafetensors: refuses every truncation and every extension", () => {
  for (let length = 0; length < file.length; length++) {
    throws(() => decodeSafetensors(manifest, file.slice(0, length)), { code: "wrong_size" });
  }
  throws(() => decodeSafetensors(manifest, concat(file, file.slice(0, 1))), { code: "wrong_size" });
});

Deno.test("decodeSafetensors: refuses a change of any byte of the header", () => {
  const { length } = safetensorsHeader(manifest);
  for (let i = 0; i < length; i++) {
    const bad = file.slice();
    bad[i]! ^= 1;
    throws(() => decodeSafetensors(manifest, bad), { code: "wrong_header" });
  }
});

Deno.test("encodeSafetensors: refuses weights of another model", () => {
  throws(() => encodeSafetensors(manifest, new Float32Array(4)), RangeError);
});

Deno.test("safetensorsParts: data is a view of θ, 8-byte aligned in the file", () => {
  const [header, data] = safetensorsParts(manifest, theta);
  equal(header.length % 8, 0);
  equal(data.buffer, theta.buffer);
  const nano = paramManifest(PRESETS["nano-gpt"]);
  equal(safetensorsSize(nano), safetensorsHeader(nano).length + 197_008_896);
});
