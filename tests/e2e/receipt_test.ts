import assert from "node:assert/strict";
import { encodeCanonical } from "../../enclave/protocol/cbor.ts";
import { decodeSettlement, encodeSettlement } from "../../enclave/protocol/judge_messages.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { type Checked, verifyReceipt } from "../../host/cli/report/verify.ts";
import { decodeReceipt, encodeReceipt, type Receipt, receiptPath } from "../../host/receipt/mod.ts";
import { changes, type Path } from "../support/bend.ts";
import { ended, startCommand } from "../support/command.ts";

let dir: string;
const read = async (window: number): Promise<Receipt> =>
  decodeReceipt(await Deno.readFile(receiptPath(dir, window)));
const failed = (checks: readonly Checked[]) =>
  checks.filter(({ ok }) => !ok).map(({ name }) => name);

async function report(...args: string[]) {
  const child = startCommand("report", ["verify", ...args]);
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test.beforeAll(async () => {
  dir = await Deno.makeTempDir({ prefix: "vramhub-receipts-" });
  const args = ["--test-mode", "--model", "tiny", "--json", "--window-seconds", "6"];
  const { code, stderr } = await ended(
    startCommand("validator", [...args, "--windows", "2", "--data-dir", dir]),
  );
  assert.equal(code, 0, stderr);
});

Deno.test.afterAll(() => Deno.remove(dir, { recursive: true }));

Deno.test("report verify: every check of a test network's receipts holds", async () => {
  for (const window of [1, 2]) {
    const path = receiptPath(dir, window);
    const { code, stdout } = await report(path, "--simulated-root", "bundle", "--json");
    const found = JSON.parse(stdout);
    assert.deepEqual(failed(found.checks), []);
    assert.deepEqual([code, found.window, found.simulated], [0, window, true]);
    assert.match(found.unchecked.join(), /losses/);
  }
  const { code, stdout } = await report(receiptPath(dir, 2), "--simulated-root", "bundle");
  assert.equal(code, 0);
  assert.match(stdout, /SIMULATED[^]*all 15 checks hold[^]*not checked: the losses/);
});

Deno.test("report verify: a SIMULATED root counts only by name, and only the one that is named", async () => {
  const path = receiptPath(dir, 2);
  const unnamed = await report(path);
  assert.equal(unnamed.code, 1);
  assert.match(unnamed.stdout, /FAIL {2}attestation .*SIMULATED root/);
  assert.match(unnamed.stdout, /1 of 15 checks do not hold: attestation/);
  const file = `${dir}/root.der`;
  await Deno.writeFile(file, (await read(2)).simulated_root!);
  assert.equal((await report(path, "--simulated-root", file)).code, 0);
  const other = (await read(2)).simulated_root!;
  other[other.length - 1]! ^= 1;
  await Deno.writeFile(file, other);
  assert.match((await report(path, "--simulated-root", file)).stdout, /FAIL {2}attestation/);
});

Deno.test("report verify: other measurements than the given ones are refused", async () => {
  const receipt = await read(2);
  const hex = (bytes: Uint8Array) =>
    [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  const pcrs = receipt.measurements[0]!.pcrs.map(hex);
  const file = `${dir}/pcrs.json`;
  const approve = async (pcr2: string) => {
    const measurements = [{ name: "mine", pcrs: { 0: pcrs[0], 1: pcrs[1], 2: pcr2 } }];
    await Deno.writeTextFile(file, JSON.stringify({ measurements }));
    return await report(receiptPath(dir, 2), "--simulated-root", "bundle", "--pcrs", file);
  };
  const good = await approve(pcrs[2]!);
  assert.equal(good.code, 0, good.stdout);
  assert.match(good.stdout, /measurement .*as given/);
  const bad = await approve("ab".repeat(48));
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /FAIL {2}attestation .*unknown_measurement/);
});

Deno.test("report verify: a file that is no receipt has status 3, a wrong call 2", async () => {
  const file = `${dir}/none.cbor`;
  await Deno.writeFile(file, (await Deno.readFile(receiptPath(dir, 2))).slice(0, -1));
  const cut = await report(file);
  assert.equal(cut.code, 3);
  assert.match(cut.stderr, /^error: Cannot read \S+ as a receipt: Cannot read CBOR at byte/);
  assert.equal((await report(`${dir}/gone.cbor`)).code, 3);
  assert.equal((await report()).code, 2);
});

/** What the ledger alone says, as the command's last lines tell: a small change of it follows from nothing. */
const WORD_OF_THE_LEDGER = [
  /^measurements\.\d+\.active_from$/,
  /^keys\.\d+\.(registered_ms|expires_ms)$/,
  /^settlement\.records\.\d+\.prior_(average|measured|accepted)$/,
  /^events\.\d+\.(seq|at_ms)$/,
  // A start that is a millisecond later has the same rounds.
  /^epochs\.\d+\.start_ms$/,
  // Said aloud: "not in the receipt".
  /^manifests\.shorter$/,
];

Deno.test("verifyReceipt: a change in any one part of a receipt is found and named", async () => {
  const receipt = await read(2);
  const trust = { simulatedRoot: receipt.simulated_root! };
  const overlooked: string[] = [];
  const seen = new Set<string | number>();
  for (const { path, changed } of changes(receipt)) {
    seen.add(path[0]!);
    const found = await finds(changed, trust.simulatedRoot);
    if (found.length === 0) overlooked.push(path.join("."));
  }
  assert.deepEqual([...seen].sort(), Object.keys(receipt).sort());
  const rest = overlooked.filter((path) => !WORD_OF_THE_LEDGER.some((known) => known.test(path)));
  assert.deepEqual(rest, []);
});

/** What is found in a changed receipt: the field that is refused, or the checks that fail. */
async function finds(
  changed: Receipt,
  simulatedRoot: Uint8Array<ArrayBuffer>,
): Promise<readonly string[]> {
  try {
    const receipt = decodeReceipt(encodeCanonical(changed));
    return failed(await verifyReceipt(receipt, { simulatedRoot }));
  } catch (error) {
    if (error instanceof Refusal) return [`${error.field}`];
    throw error;
  }
}

Deno.test("verifyReceipt: names the check and what is wrong with it", async () => {
  const receipt = await read(2);
  const simulatedRoot = receipt.simulated_root!;
  const cases: [path: Path, check: string, detail: RegExp][] = [
    [["hparams"], "context", /hparams/],
    [["beacon", "judge_signature"], "beacon", /Cannot accept a beacon/],
    [["reveals", 0, "content_hash"], "reveals", /the fold of the reveals/],
    [["pages", 0, "proof"], "pages", /page \d+ is not in the data set/],
    [["pages", 0, "tokens"], "pages", /page \d+ is not in the data set/],
    [["keys", 0, "document"], "attestation", /the document of validator 0/],
    [["reports", 0, "signature"], "reports", /wrong signature/],
    [["reports", 0, "message"], "reports", /wrong signature/],
    [["outcomes", 0, "message"], "outcomes", /wrong signature/],
    [["outcomes", 0, "signature"], "outcomes", /wrong signature/],
    [["settlement", "digest"], "settlement", /settled digest/],
    [["payout", "miners", 0, "reward"], "pay", /uid \d is paid/],
    [["payout", "miners", 0, "mu_biased"], "pay", /uid \d is not paid by the agreed rating/],
    [["payout", "merged_hash"], "base", /merged base/],
    [["snapshot", 0, "stake"], "events", /snapshot/],
  ];
  const all = [...changes(receipt)];
  for (const [path, check, detail] of cases) {
    const { changed } = all.find((one) => one.path.join() === path.join())!;
    const checks = await verifyReceipt(decodeReceipt(encodeReceipt(changed)), { simulatedRoot });
    const found = checks.find(({ name }) => name === check)!;
    assert.equal(found.ok, false, path.join("."));
    assert.match(found.detail, detail, path.join("."));
  }
});

Deno.test("verifyReceipt: a settled row that the reports do not give is named, uid and field", async () => {
  const receipt = await read(2);
  const { settlement, simulated_root } = receipt;
  const { randomBefore, rows } = decodeSettlement(settlement!.settled);
  const measured = rows.find(({ randomAfter }) => randomAfter !== null);
  const better = rows.map((row) =>
    row === measured ? { ...row, randomAfter: row.randomAfter! - 9 } : row
  );
  const settled = encodeSettlement(randomBefore, better);
  const changed = { ...receipt, settlement: { ...settlement!, settled } };
  const checks = await verifyReceipt(changed, { simulatedRoot: simulated_root! });
  assert.match(
    checks.find(({ name }) => name === "settlement")!.detail,
    /^randomAfter of uid \d is \d+, the reports give \d+$/,
  );
  assert.equal(failed(checks)[0], "settlement");
});
