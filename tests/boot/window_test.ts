/**
 * A whole window of the real protocol through an emulated enclave, beside a local judge. Runs where the cache holds
 * the kernel and the emulator.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bytes, toHex } from "../../enclave/protocol/bytes.ts";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import { decodeOutcome, decodeReport, type Report } from "../../enclave/protocol/report.ts";
import { VERDICT } from "../../enclave/protocol/verdict.ts";
import { RemoteJudge } from "../../host/courier/remote_judge.ts";
import { openTestRoot } from "../../host/credentials/test_root.ts";
import type { Log } from "../../host/ledger/log.ts";
import type { Validator } from "../../host/validator.ts";
import { JUDGE_PORT } from "../../nitro/qemu/guest.ts";
import { TestJudge } from "../crash/judge.ts";
import { buildBootable, CANNOT_BOOT, notarised } from "./booted.ts";
import { BootNetwork, GUEST, LOCAL, startTrainer, WINDOW } from "./network.ts";
import { START_MS, WINDOW_MS } from "./quicknet.ts";

/** How far losses may lie apart on different CPUs, in 1e-6 nats. */
const TOLERANCE = 2;
/** An emulated CPU is slow, and tests run beside it. */
const PATIENCE = { askMs: 120_000, connectMs: 60_000, processMs: 300_000 };
const DAY_MS = 86_400_000;

function close(one: number | null, other: number | null, what: string): void {
  assert.equal(one === null, other === null, what);
  assert.ok(Math.abs(one! - other!) <= TOLERANCE, `${what}: ${one} and ${other}`);
}

/** uids of the accepted gradients, the best first. */
function ranks({ entries, randomBefore }: Report): number[] {
  const score = (after: number | null) => randomBefore! - after!;
  return entries.filter(({ verdict }) => verdict === VERDICT.ok)
    .sort((a, b) => score(b.randomAfter) - score(a.randomAfter)).map(({ uid }) => uid);
}

/** What the judges signed of the window. */
async function signed({ ledger }: BootNetwork) {
  const { reports, outcomes } = await ledger.messages(WINDOW);
  const by = (rows: typeof reports, uid: number) => rows.find((row) => row.validator === uid)!;
  const messages = (uid: number) => ({
    key: by(reports, uid).key,
    report: decodeReport(by(reports, uid).message),
    outcome: decodeOutcome(by(outcomes, uid).message),
  });
  return { guest: messages(GUEST), local: messages(LOCAL) };
}

/** The emulated enclave's judge measured, ranked, rated and merged as the local one did. */
async function checkSame(network: BootNetwork): Promise<void> {
  const { guest, local } = await signed(network);
  const verdicts = guest.report.entries.map(({ verdict }) => verdict);
  assert.deepEqual(verdicts, local.report.entries.map(({ verdict }) => verdict));
  assert.deepEqual(
    verdicts.toSorted(),
    [
      VERDICT.ok, // trains
      VERDICT.ok, // trains
      VERDICT.ok, // does harm: that is the ledger's to say
      VERDICT.zero,
      VERDICT.duplicate,
    ].toSorted(),
  );
  assert.deepEqual(guest.report.windowDigest, local.report.windowDigest);
  close(guest.report.randomBefore, local.report.randomBefore, "random_before");
  for (const [i, one] of guest.report.entries.entries()) {
    const other = local.report.entries[i]!;
    assert.equal(one.uid, other.uid);
    if (one.verdict !== VERDICT.ok) continue;
    for (const metric of ["ownBefore", "ownAfter", "randomAfter"] as const) {
      close(one[metric], other[metric], `${metric} of ${one.uid}`);
    }
  }
  assert.deepEqual(ranks(guest.report), ranks(local.report));
  assert.deepEqual(guest.outcome.settledDigest, local.outcome.settledDigest);
  assert.deepEqual(guest.outcome.ratings, local.outcome.ratings);
  assert.ok(guest.outcome.manifestHash !== null, "nothing was merged");
  assert.deepEqual(guest.outcome.manifestHash, local.outcome.manifestHash);
  close(guest.outcome.currentLoss, local.outcome.currentLoss, "current_loss");
  close(guest.outcome.mergedLoss, local.outcome.mergedLoss, "merged_loss");
  // Neither has more than half of the stake: the ledger has closed the window because they agree.
  const { payout, status } = await network.ledger.window(WINDOW);
  assert.equal(status, "closed");
  assert.deepEqual(payout!.mergedHash, guest.outcome.manifestHash);
}

Deno.test({
  name:
    "guest: judges a whole window as the local judge does, and goes on under a new key after a crash",
  ignore: CANNOT_BOOT,
  async fn() {
    const dir = await Deno.makeTempDir();
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => Deno.remove(dir, { recursive: true }));
    const image = await buildBootable(`${dir}/image`);
    const { pcrs } = image;
    // A second guest in the same folder is reached by the same path, as an enclave that restarts by its CID.
    const folder = `${dir}/guest`;
    await Deno.mkdir(folder);
    let guest = await image.boot(folder);
    cleanup.defer(() => guest.stop());

    const root = await openTestRoot(`${dir}/keys`);
    const leafOf = () => root.issueLeaf({ now: START_MS - DAY_MS });
    const trainer = cleanup.use(await startTrainer());
    const lines: string[] = [];
    const log: Log = (level, target, message, fields) =>
      lines.push(`${level} ${target} ${message} ${JSON.stringify(fields ?? {})}`);
    const network = await BootNetwork.found(dir, root, pcrs, trainer, log);
    cleanup.use(network);
    const { ledger } = network;
    const remote = await RemoteJudge.open(
      { kind: "guest", path: guest.socket, port: JUDGE_PORT },
      PATIENCE,
    );
    cleanup.defer(() => remote.close());
    const judge = notarised(remote, {
      leaf: await leafOf(),
      now: () => ledger.now(),
      pcrs,
      say: (line) => console.log(line),
    });
    const local = await TestJudge.start(await leafOf(), () => ledger.now());
    cleanup.defer(() => local.end());

    const keys: Bytes[] = [];
    const attested = (key: Bytes) => void keys.push(key);
    let validator: Validator | undefined;
    const parties = [
      network.validator(GUEST, judge, { attested }, (started) => validator = started),
      network.watch(remote, () => keys.at(-1), () => validator!.mend()),
      network.validator(LOCAL, local),
      ...network.miners(),
      // Behind the commit deadline, when the validator has looked after its judge for the last time in this window.
      network.at(0.85 * WINDOW_MS, "host", async () => {
        await assert.rejects(
          ledger.registerEnclave(`0x${"00".repeat(32)}`, GUEST, await remote.attest()),
          (error) => error instanceof LedgerError && error.constant === "EBadDocument",
        );
        await guest.stop();
        guest = await image.boot(folder);
      }),
    ];
    try {
      await network.drive(parties);
      for (const { error, name } of parties) assert.equal(error, undefined, name);
      await checkSame(network);
      // The window was begun under one key and judged under another, which the ledger has learned in time.
      assert.equal(keys.length, 2);
      assert.notDeepEqual(keys[0], keys[1]);
      assert.equal(toHex((await signed(network)).guest.key), toHex(keys[1]!));
      for (const key of keys) assert.equal((await ledger.attestation(key))?.measurement, "image");
    } catch (error) {
      console.error(lines.join("\n"), await guest.console().catch(() => ""), guest.stderr());
      throw error;
    }
  },
});
