import assert from "node:assert/strict";
import { AttestationError, verify } from "../../attestation/mod.ts";
import { fuzzAttestation } from "./attestation.ts";
import { exhaust } from "./exhaustive.ts";
import { Random } from "./random.ts";
import { simulated } from "./vectors.ts";

/** A minute where the whole gate runs, a few seconds on every other day. */
const SECONDS = Deno.env.get("CI") === "true" ? 60 : 5;

Deno.test("fuzz: mutants of documents are refused by type, in bounded time and memory", async () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const { cases, kinds, codes } = await fuzzAttestation({ seed, seconds: SECONDS });
  assert.deepEqual(
    Object.keys(kinds).sort(),
    ["bytes", "certificate", "measurements", "payload", "wrapping"],
    `${cases} cases of seed ${seed}`,
  );
  // The mutants get behind the signature: some are accepted, and some refused by what comes after it.
  assert.ok(kinds.payload!.accepted > 0 && kinds.certificate!.accepted > 0, JSON.stringify(kinds));
  for (const code of ["bad_certificate", "bad_signature"]) assert.ok(codes[code]! > 0, code);
});

Deno.test("fuzz: the same seed gives the same cases", () => {
  const draw = (seed: number, index: number) => {
    const random = new Random(seed, index);
    return Array.from({ length: 8 }, () => random.u32());
  };
  assert.deepEqual(draw(1, 2), draw(1, 2));
  assert.notDeepEqual(draw(1, 2), draw(1, 3));
  assert.notDeepEqual(draw(1, 2), draw(2, 2));
});

Deno.test("fuzz: its sound document is accepted, and the exhaustive task finds what is not refused", async () => {
  const sound = simulated();
  assert.equal((await verify(sound.document, sound.policy)).measurement, "simulated");
  const end = sound.document.length;
  const { cases, verified, decoding } = await exhaust(sound, end - 1, end);
  assert.deepEqual([cases, verified, decoding], [255, 255, 0]);
  const head = await exhaust(sound, 0, 2);
  assert.equal(head.decoding, 510);
  // A verifier that accepts what it should not is found: here, one whose policy cannot be met by the original.
  const impossible = { ...sound, document: sound.document.slice(1) };
  await assert.rejects(exhaust(impossible, 0, 1), AttestationError);
});
