import assert from "node:assert/strict";
import { decodeEvent, fieldsOf } from "./event_decode.ts";
import { EVENTS } from "./layout/events.ts";
import { encode } from "./layout/layout.ts";
import { idOf, PROFILE } from "./testing.ts";

const PACKAGE = PROFILE.packageId;
const b32 = new Uint8Array(32).fill(0xab);
const HEX = "ab".repeat(32);

/** The event as the log holds it. */
function logged(kind: string, fields: object): object {
  const [module, name] = kind.split("::") as [string, string];
  const layout = EVENTS[module]![name]!;
  const decoded = decodeEvent(PACKAGE, {
    eventType: `${PACKAGE}::${kind}`,
    bcs: encode(layout, fields),
  })!;
  assert.equal(decoded.kind, kind);
  return decoded.body;
}

Deno.test("decodeEvent: fields are in camelCase, amounts decimal strings, bytes hexadecimal", () => {
  assert.deepEqual(
    logged("validator_registry::ValidatorRegistered", {
      uid: 1,
      owner: idOf(5),
      stake: 10n ** 18n,
      fee: 0n,
      bond: 2_100n,
      from: 13,
    }),
    { uid: 1, owner: idOf(5), stake: "1000000000000000000", fee: "0", bond: "2100", from: 13 },
  );
  assert.deepEqual(
    logged("round_state::BaseAnchored", { window: 14, manifest_hash: b32, gain: -3 }),
    { window: 14, manifestHash: HEX, gain: -3 },
  );
  assert.deepEqual(
    logged("score_ledger::WindowSettled", { window: 12, digest: b32, random_before: null }),
    { window: 12, digest: HEX, randomBefore: null },
  );
  const seat = { uid: 0, generation: 1, owner: idOf(5), stake: 7n, active_from: 2 };
  assert.deepEqual(
    logged("round_state::WindowOpened", { window: 12, base_hash: b32, snapshot: [seat] }),
    {
      window: 12,
      baseHash: HEX,
      snapshot: [{ uid: 0, generation: 1, owner: idOf(5), stake: "7", activeFrom: 2 }],
    },
  );
});

Deno.test("decodeEvent: fields that the log names otherwise", () => {
  const revealed = logged("gradient_registry::GradientRevealed", {
    window: 12,
    uid: 3,
    commit_seq: 9,
    content_hash: b32,
    size: 64,
    codec: 1,
    storage_ref: "gradient-12-3-v1.pt",
  });
  assert.deepEqual(revealed, {
    window: 12,
    uid: 3,
    commitSeq: 9,
    contentHash: HEX,
    size: 64,
    codec: 1,
    ref: "gradient-12-3-v1.pt",
  });
  const pcr = new Uint8Array(48).fill(1);
  assert.deepEqual(
    logged("enclave_registry::MeasurementApproved", {
      name: "build-1",
      pcr0: pcr,
      pcr1: pcr,
      pcr2: pcr,
      active_from: 5,
    }),
    { name: "build-1", pcrs: Array(3).fill("01".repeat(48)), activeFrom: 5 },
  );
});

Deno.test("decodeEvent: a customer's bytes that are no text break nothing", () => {
  const body = logged("training_jobs::JobCompleted", {
    job: 1,
    result_hash: b32,
    result_ref: Uint8Array.of(0x61, 0xff),
  });
  assert.deepEqual(body, { job: 1, resultHash: HEX, resultRef: "a\ufffd" });
});

Deno.test("fieldsOf: gives an event's fields to who asks for that kind of our package", () => {
  const bcs = encode(EVENTS.round_state!.WindowClosed!, { window: 12 });
  const event = { eventType: `${PACKAGE}::round_state::WindowClosed`, bcs };
  assert.deepEqual(fieldsOf(PACKAGE, event, "round_state::WindowClosed"), { window: 12 });
  assert.equal(fieldsOf(PACKAGE, event, "round_state::WindowSkipped"), null);
  assert.equal(fieldsOf(idOf(1), event, "round_state::WindowClosed"), null);
});

Deno.test("decodeEvent: the dev ledger logs no kind that the package does not have", async () => {
  const folder = new URL("../dev/", import.meta.url);
  const kinds = new Set<string>();
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".ts") || name.endsWith("_test.ts")) continue;
    const source = await Deno.readTextFile(new URL(name, folder));
    for (const [, kind] of source.matchAll(/"([a-z_]+::[A-Z][A-Za-z]+)"/g)) kinds.add(kind!);
  }
  kinds.delete("dev::Faucet");
  assert.ok(kinds.size > 40, `${kinds.size}`);
  const known = Object.entries(EVENTS).flatMap(([module, events]) =>
    Object.keys(events).map((name) => `${module}::${name}`)
  );
  assert.deepEqual([...kinds].filter((kind) => !known.includes(kind)), []);
});
