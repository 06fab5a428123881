/**
 * Genuine NSM documents. They are not in the repository: the tests read them from `../shared/vectors`, where
 * that folder lies beside the checkout, and are marked as ignored where it does not.
 */
import assert from "node:assert/strict";
import { type Bytes, concat, toHex } from "../enclave/protocol/bytes.ts";
import { AttestationError, DEBUG_MEASUREMENT, parseDocument, type Policy, verify } from "./mod.ts";

const FOLDER = new URL("../../shared/vectors/attestation/", import.meta.url);
const GENUINE = ["aws-2022-10-13", "aws-pcr16-2025-04-29", "aws-indefinite-pcr16-2025-11-10"];
const DEBUG = "aws-debug-2022-10-12";

function isAbsent(): boolean {
  try {
    return !Deno.statSync(FOLDER).isDirectory;
  } catch {
    return true;
  }
}

const ignore = isAbsent();

function vectorTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `${name} (needs shared/vectors)`, ignore, fn });
}

function vector(name: string): Bytes {
  return Deno.readFileSync(new URL(`${name}.bin`, FOLDER));
}

/** A policy that approves exactly the PCRs of `document`. */
function policyFor(document: Bytes): Policy {
  const { pcrs } = parseDocument(document);
  return {
    root: { kind: "aws" },
    time: { kind: "archived" },
    measurements: [{ name: "vector", pcrs }],
    ...(pcrs.get(0)!.every((byte) => byte === 0) ? { debug: "allow-by-name" } : {}),
  };
}

const refusedAs = (code: string) => (e: unknown) =>
  e instanceof AttestationError && e.code === code;

vectorTest("verify: accepts the genuine documents at their own time", async () => {
  const pcr0 = ["f4d48b81", "2984ab21", "3aa0e6e6"];
  for (const [i, name] of GENUINE.entries()) {
    const document = vector(name);
    const attested = await verify(document, policyFor(document));
    assert.equal(toHex(attested.pcrs.get(0)!).slice(0, 8), pcr0[i]);
    assert.deepEqual(
      [attested.measurement, attested.root, attested.debug],
      ["vector", "aws", false],
    );
    assert.ok(attested.notAfter > attested.timestamp);
    await verify(concat(new Uint8Array([0xd2]), document), policyFor(document)); // tag 18
  }
});

vectorTest("verify: returns the optional fields as they are", async () => {
  const [first, second] = [vector(GENUINE[0]!), vector(GENUINE[1]!)];
  const old = await verify(first, policyFor(first));
  assert.deepEqual(
    [old.nonce?.length, old.publicKey, old.userData, old.pcrs.size],
    [256, undefined, undefined, 16],
  );
  const recent = await verify(second, policyFor(second));
  assert.deepEqual(
    [recent.nonce, recent.publicKey?.length, recent.userData?.length, recent.pcrs.size],
    [undefined, 32, 0, 17],
  );
});

vectorTest("verify: refuses a genuine debug document unless debug is allowed by name", async () => {
  const document = vector(DEBUG);
  const policy: Policy = {
    ...policyFor(vector(GENUINE[0]!)),
    debug: "refuse",
  };
  await assert.rejects(verify(document, policy), refusedAs("debug_enclave"));
  const allowed = await verify(document, {
    ...policy,
    debug: "allow-by-name",
    measurements: [DEBUG_MEASUREMENT],
  });
  assert.deepEqual([allowed.debug, allowed.measurement], [true, "debug"]);
});

vectorTest("verify: refuses a foreign root, and the AWS root as a simulated one", async () => {
  const foreign = vector("foreign-root");
  await assert.rejects(verify(foreign, policyFor(foreign)), refusedAs("untrusted_root"));
  const genuine = vector(GENUINE[1]!);
  const der = parseDocument(foreign).cabundle[0]!;
  const policy: Policy = { ...policyFor(genuine), root: { kind: "simulated", der } };
  await assert.rejects(verify(genuine, policy), refusedAs("untrusted_root"));
});

vectorTest(
  "verify: refuses a genuine document under another's measurements, and live",
  async () => {
    const [first, second] = [vector(GENUINE[0]!), vector(GENUINE[1]!)];
    await assert.rejects(verify(first, policyFor(second)), refusedAs("unknown_measurement"));
    const live: Policy = { ...policyFor(first), time: { kind: "live", now: Date.UTC(2026, 0, 1) } };
    await assert.rejects(verify(first, live), refusedAs("expired"));
  },
);

vectorTest("verify: refuses every truncation of a genuine document", async () => {
  const document = vector(GENUINE[2]!);
  const policy = policyFor(document);
  for (let n = 0; n < document.length; n++) {
    await assert.rejects(verify(document.subarray(0, n), policy), AttestationError);
  }
});

/** A byte other than the one at `at`, chosen by the position alone. */
function otherByte(document: Bytes, at: number): number {
  return document[at]! ^ (1 + (Math.imul(at + 1, 0x9e3779b1) >>> 16) % 255);
}

/** All positions where the whole gate runs; on every other day the envelope's and one in 32. */
function positions(document: Bytes, shift: number): number[] {
  const all = Array.from(document.keys());
  if (Deno.env.get("CI") === "true") return all;
  return all.filter((at) => at < 16 || at % 32 === shift % 32 || at >= document.length - 4);
}

vectorTest("verify: refuses a genuine document with any one byte changed", async () => {
  for (const [i, name] of [...GENUINE, DEBUG].entries()) {
    const document = vector(name);
    const policy = policyFor(document);
    const queue = positions(document, 5 * i);
    const worker = async () => {
      for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
        const changed = new Uint8Array(document);
        changed[at] = otherByte(document, at);
        await assert.rejects(
          verify(changed, policy),
          (e) => e instanceof AttestationError,
          `${name} byte ${at}`,
        );
      }
    };
    await Promise.all(Array.from({ length: 4 }, worker));
  }
});
