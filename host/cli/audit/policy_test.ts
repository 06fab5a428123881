import assert from "node:assert/strict";
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { pcrsOf, T0, TestNetwork } from "../../ledger/testing.ts";
import type { AuditArgs } from "../args_audit.ts";
import { policyOf } from "./policy.ts";
import { auditDocument } from "./verdict.ts";

const [PCR0, PCR1, PCR2] = pcrsOf(1);
const ARGS: AuditArgs = {
  document: "-",
  approved: { kind: "pcrs", pcrs: [PCR0, PCR1, PCR2] },
  at: "now",
  nonce: undefined,
  allowDebug: false,
  json: false,
};
const CLOCK = { now: () => T0, until: () => Promise.resolve() };

async function inFolder(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "vramhub-" });
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("policyOf: PCRs of the command line hang from the AWS root, live and without debug", async () => {
  const policy = await policyOf(ARGS, CLOCK);
  assert.deepEqual(policy, {
    root: { kind: "aws" },
    time: { kind: "live", now: T0 },
    measurements: [{ name: "command line", pcrs: new Map([[0, PCR0], [1, PCR1], [2, PCR2]]) }],
    fieldBytes: 1_024,
  });
});

Deno.test("policyOf: times, nonce and debug are as asked for", async () => {
  const nonce = new Uint8Array([1]);
  const archived = await policyOf({ ...ARGS, at: "document", nonce, allowDebug: true }, CLOCK);
  assert.deepEqual([archived.time, archived.nonce, archived.debug], [
    { kind: "archived" },
    nonce,
    "allow-by-name",
  ]);
  assert.deepEqual(archived.measurements.map(({ name }) => name), ["command line", "debug"]);
  const { time } = await policyOf({ ...ARGS, at: 5 }, CLOCK);
  assert.deepEqual(time, { kind: "live", now: 5 });
});

Deno.test("policyOf: reads a pcrs.json with its windows, and refuses what is none", async () => {
  await inFolder(async (dir) => {
    const path = `${dir}/pcrs.json`;
    const pcrs = { "0": toHex(PCR0), "1": toHex(PCR1), "2": toHex(PCR2) };
    const measurements = [{ name: "v1", pcrs, not_before: "2026-01-01T00:00:00Z" }];
    await Deno.writeTextFile(path, JSON.stringify({ measurements }));
    const approved = { kind: "file", path } as const;
    const policy = await policyOf({ ...ARGS, approved }, CLOCK);
    assert.deepEqual([policy.root, policy.measurements[0]!.notBefore], [
      { kind: "aws" },
      Date.UTC(2026, 0, 1),
    ]);
    await Deno.writeTextFile(path, "{}");
    await assert.rejects(policyOf({ ...ARGS, approved }, CLOCK), /approved measurements/);
    await Deno.writeTextFile(path, " ".repeat(65_537));
    await assert.rejects(policyOf({ ...ARGS, approved }, CLOCK), /more than 65536 bytes/);
  });
});

Deno.test("policyOf: a ledger approves its own builds; its simulated root only where asked for by name", async () => {
  await inFolder(async (dir) => {
    const network = await TestNetwork.found({ path: `${dir}/ledger.sqlite`, attested: false });
    const document = await network.document(0);
    const { simulatedRoot } = await network.ledger.info();
    network.ledger[Symbol.dispose]();
    const verdict = async (simulated: boolean) => {
      const approved = { kind: "ledger", dir, simulatedRoot: simulated } as const;
      const policy = await policyOf({ ...ARGS, approved }, CLOCK);
      assert.deepEqual(policy.measurements.map(({ name }) => name), ["build-1"]);
      assert.deepEqual(
        policy.root,
        simulated ? { kind: "simulated", der: simulatedRoot } : { kind: "aws" },
      );
      return (await auditDocument(() => Promise.resolve(document), policy)).verdict;
    };
    assert.equal(await verdict(true), "approved");
    assert.equal(await verdict(false), "not_genuine");
    const approved = { kind: "ledger", dir: `${dir}/gone`, simulatedRoot: true } as const;
    await assert.rejects(policyOf({ ...ARGS, approved }, CLOCK), /there is no network in/);
  });
});
