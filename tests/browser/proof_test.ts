import assert from "node:assert/strict";
import { verifyWindow } from "../../host/cli/explorer_proof.ts";
import { windowDetail } from "../../host/explorer/detail.ts";
import { toWire } from "../../host/explorer/wire.ts";
import { SYSTEM_CLOCK } from "../../host/ledger/clock.ts";
import { DevLedger } from "../../host/ledger/dev/dev_ledger.ts";
import { receiptPath } from "../../host/receipt/mod.ts";
import { ended, startCommand } from "../support/command.ts";

let dir: string;
let input: Parameters<typeof verifyWindow>[0];

Deno.test.beforeAll(async () => {
  dir = await Deno.makeTempDir({ prefix: "vramhub-proof-" });
  const options = ["--test-mode", "--model", "tiny", "--json", "--window-seconds", "8"];
  const miners = ["--miners", "honest,copier", "--windows", "1"];
  const { code, stderr } = await ended(
    startCommand("validator", [...options, ...miners, "--data-dir", dir]),
  );
  assert.equal(code, 0, stderr);
  using ledger = DevLedger.open(`${dir}/ledger.sqlite`, SYSTEM_CLOCK);
  assert.equal((await ledger.window(1)).reported.length, 1, "window 1 has its report");
  const detail = windowDetail(await ledger.window(1), await ledger.messages(1));
  input = {
    receipt: await Deno.readFile(receiptPath(dir, 1)),
    shown: JSON.parse(JSON.stringify(toWire(detail))),
    ledgerId: toWire((await ledger.info()).ledgerId),
    acceptSimulated: true,
    pcrs: null,
  };
});

Deno.test.afterAll(() => Deno.remove(dir, { recursive: true }));

const failed = async (changed: Partial<typeof input>): Promise<string[]> => {
  const { checks, ok } = await verifyWindow({ ...input, ...changed });
  const names = checks.filter((check) => !check.ok).map(({ name }) => name);
  assert.equal(ok, names.length === 0);
  return names;
};

Deno.test("verifyWindow: every check of a window holds, and the page shows what it proves", async () => {
  const { checks, simulated, unchecked } = await verifyWindow(input);
  assert.deepEqual(checks.filter(({ ok }) => !ok), []);
  assert.equal(checks.length, 16);
  assert.equal(simulated, true);
  assert.match(unchecked.join(), /losses/);
});

Deno.test("verifyWindow: a SIMULATED root counts only where it is asked for", async () => {
  assert.deepEqual(await failed({ acceptSimulated: false }), ["attestation"]);
});

Deno.test("verifyWindow: other approved builds than the judges' are refused", async () => {
  const pcrs = Object.fromEntries([0, 1, 2].map((i) => [i, "ab".repeat(48)]));
  const text = JSON.stringify({ measurements: [{ name: "mine", pcrs }] });
  assert.deepEqual(await failed({ pcrs: new TextEncoder().encode(text) }), ["attestation"]);
});

Deno.test("verifyWindow: a receipt of another ledger or another window is refused", async () => {
  assert.deepEqual(await failed({ ledgerId: "00".repeat(32) }), ["page"]);
  assert.deepEqual(await failed({ shown: { ...input.shown as object, window: 2 } }), ["page"]);
});

/** Every way to change one value of `value`, to add one and to take one away. */
function* changes(value: unknown): Generator<unknown> {
  if (typeof value === "number") yield value + 1;
  else if (typeof value === "string") yield value.endsWith("0") ? `${value}1` : `${value}0`;
  else if (typeof value === "boolean") yield !value;
  else if (value === null) yield 0;
  else if (Array.isArray(value)) {
    yield [...value, value[0] ?? null];
    if (value.length > 0) yield value.slice(1);
    for (const [i, item] of value.entries()) {
      for (const other of changes(item)) yield value.with(i, other);
    }
  } else if (typeof value === "object") {
    yield { ...value, more: 1 };
    for (const [name, part] of Object.entries(value!)) {
      for (const other of changes(part)) yield { ...value, [name]: other };
    }
  }
}

Deno.test("verifyWindow: any one value that the page shows otherwise is refused", async () => {
  // What the receipt says is the same each time; only the comparison is of interest.
  let count = 0;
  const all = [...changes(input.shown)];
  const step = Math.max(1, Math.floor(all.length / 40));
  for (let i = 0; i < all.length; i += step) {
    assert.deepEqual(await failed({ shown: all[i] }), ["page"], JSON.stringify(all[i]));
    count++;
  }
  assert.ok(count >= 40);
});

Deno.test("verifyWindow: a byte of the receipt that was changed is refused", async () => {
  const { receipt } = input;
  for (let i = 0; i < 24; i++) {
    const changed = receipt.slice();
    changed[Math.floor((i + 0.5) * changed.length / 24)]! ^= 0x10;
    assert.notDeepEqual(await failed({ receipt: changed }), [], `part ${i}`);
  }
  assert.deepEqual(await failed({ receipt: receipt.slice(0, -1) }), ["receipt"]);
});
