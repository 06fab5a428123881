import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { toHex } from "../protocol/bytes.ts";
import { sha256 } from "../protocol/hash.ts";
import { genesisWeights } from "./genesis.ts";
import { modelHash } from "./modelhash.ts";
import { paramManifest } from "./params.ts";
import { PRESETS } from "./presets.ts";

const { tiny } = PRESETS;
const digest = (theta: Float32Array<ArrayBuffer>) => toHex(sha256(new Uint8Array(theta.buffer)));

// Recorded from an independent implementation of the rule, in Python.
Deno.test("genesisWeights: the recorded weights of a fixed hash", () => {
  equal(
    digest(genesisWeights(tiny, new Uint8Array(32))),
    "ce1276ef67ac8a28ea4b1699aa7ae2a78d19c13bfbf63c59334cfe0a8ec51f9e",
  );
});

Deno.test("modelHash: the recorded hashes of the presets", () => {
  equal(
    toHex(modelHash(PRESETS.tiny)),
    "1287eb8ca3472a8c942dde6d4dca611484ed165c3e97265d12477d96a779ec79",
  );
  equal(
    toHex(modelHash(PRESETS.small)),
    "b2b2783713d2cfdbb9b9db1cf86606f2bf425e7a155a6af1ecd7b992a3919e35",
  );
  equal(
    toHex(modelHash(PRESETS["nano-gpt"])),
    "e9ac52233a7481cff83621f62b8627ee66bde0504d12979c2c296cdef85c6f1a",
  );
});

Deno.test("genesisWeights: another hash gives other weights", () => {
  notDeepEqual(
    digest(genesisWeights(tiny, new Uint8Array(32))),
    digest(genesisWeights(tiny, new Uint8Array(32).fill(1))),
  );
});

Deno.test("genesisWeights: every tensor has the published mean and deviation", () => {
  const theta = genesisWeights(tiny, modelHash(tiny));
  for (const { name, offset, size } of paramManifest(tiny).params) {
    const part = theta.subarray(offset, offset + size);
    if (name.endsWith("bias")) deepEqual(part, new Float32Array(size));
    else if (name.includes("ln_")) deepEqual(part, new Float32Array(size).fill(1));
    else {
      const expected = name === "wpe.weight" ? 0.01 : name.includes("c_proj") ? 0.01 : 0.02;
      const mean = part.reduce((a, b) => a + b, 0) / size;
      const std = Math.sqrt(part.reduce((a, b) => a + (b - mean) ** 2, 0) / size);
      ok(Math.abs(mean) < 0.05 * expected, `${name}: mean ${mean}`);
      ok(Math.abs(std - expected) < 0.03 * expected, `${name}: deviation ${std}`);
      ok(part.every((w) => Math.abs(w) <= Math.fround(expected * Math.sqrt(3))));
    }
  }
});
