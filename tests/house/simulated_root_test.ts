import assert from "node:assert/strict";
import { AttestationError } from "../../attestation/mod.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import { keyPairFrom } from "../../enclave/protocol/identity.ts";
import { registerJudge } from "../../host/attester.ts";
import { auditDocument } from "../../host/cli/audit/verdict.ts";
import { policyOf } from "../../host/cli/audit/policy.ts";
import type { JudgeClient } from "../../host/courier/judge_client.ts";
import { DevLedger, type Genesis } from "../../host/ledger/dev/dev_ledger.ts";
import { ADMIN, FAST, pcrsOf, T0, TestNetwork, validatorOf } from "../../host/ledger/testing.ts";
import { imports } from "./graph.ts";
import { isTest, modules, read, withoutComments } from "./sources.ts";

const TEST_ROOT = "host/credentials/test_root.ts";

/** The tests' network and what tests make of it. */
function isSupport(path: string): boolean {
  return /^host\/ledger\/(\w+\/)?testing(_\w+)?\.ts$/.test(path);
}

/**
 * What exists for a simulated root: the module itself, the tests' support, test mode, an audit's replay and a rehearsal
 * (whose judges hang from a root that is thrown away afterwards), and the commands that start these.
 */
function isTestMode(path: string): boolean {
  return path === TEST_ROOT || isSupport(path) ||
    /^host\/cli\/((testmode|replay|rehearsal)\/|(validator|miner|aggregator|audit)\.ts$)/.test(
      path,
    );
}

Deno.test("simulated root: nothing but test mode reaches the module that makes it", async () => {
  const importers = new Map<string, string[]>();
  for (const { from, file } of await imports()) {
    if (file !== undefined) importers.set(file, [...importers.get(file) ?? [], from]);
  }
  const reaching = new Set([TEST_ROOT]);
  for (const path of reaching) { // a set takes in what is added while it is walked
    for (const from of importers.get(path) ?? []) if (!isTest(from)) reaching.add(from);
  }
  assert.ok(reaching.has("host/cli/validator.ts")); // the walk finds what is there
  assert.deepEqual([...reaching].filter((path) => !isTestMode(path)), []);
});

Deno.test("simulated root: only tests import the tests' network", async () => {
  const found = (await imports()).filter(({ from, file }) =>
    isSupport(file ?? "") && !isTest(from) && !isSupport(from)
  );
  assert.deepEqual(found, []);
});

Deno.test("simulated root: a policy trusts one only as the ledger's own, or as named by an auditor", () => {
  const shipped = modules().filter((path) => !isTest(path));
  const made = shipped.flatMap((path) => {
    const source = withoutComments(read(path));
    return [...source.matchAll(/kind: "simulated",?[^}]*\}/g)].map(([text]) => [path, text]);
  }).filter(([path]) => path !== "attestation/roots.ts"); // the type itself
  const makers = made.map(([path]) => path);
  for (const known of ["host/attester.ts", "host/ledger/dev/enclaves.ts"]) {
    assert.ok(makers.includes(known), known); // the search finds what is there
  }
  for (const [path, text] of made) {
    // `info` is the ledger's, `trust` what an auditor named with --simulated-root.
    assert.match(text!, /^kind: "simulated", der: ((info|trust)\.)?simulatedRoot \}$/, path);
  }
});

/** Ids as `TestNetwork` has them, so that its documents are meant for this ledger; but no simulated root. */
async function productionLedger(path: string, like: TestNetwork): Promise<DevLedger> {
  const info = await like.ledger.info();
  const ledger = DevLedger.open(path, like.clock);
  const genesis: Genesis = {
    ...info,
    admin: ADMIN,
    baseHash: new Uint8Array(32),
    hparams: FAST,
    epoch: { firstWindow: 0, startMs: T0 },
    measurements: [{ name: "build-1", pcrs: pcrsOf(1) }],
    simulatedRoot: null,
    seats: [{ role: "validator", owner: validatorOf(0), stake: 10_000n }],
  };
  ledger.found(genesis);
  return ledger;
}

const untrusted = (e: unknown) => e instanceof AttestationError && e.code === "untrusted_root";

Deno.test("simulated root: a ledger without one refuses simulated documents everywhere", async () => {
  const dir = await Deno.makeTempDir({ prefix: "vramhub-" });
  try {
    const network = await TestNetwork.found();
    using _network = network.ledger;
    const nonce = { value: new Uint8Array(0) as Bytes };
    const judge = {
      configure: () => Promise.resolve(keyPairFrom(new Uint8Array(32).fill(1)).publicKey),
      attest: (challenge: Bytes) => {
        nonce.value = challenge;
        return network.document(0, { fields: { nonce: challenge } });
      },
    } as unknown as JudgeClient;
    using ledger = await productionLedger(`${dir}/ledger.sqlite`, network);

    // The courier, before anything is sent.
    await assert.rejects(registerJudge(judge, ledger, validatorOf(0), 0), untrusted);
    assert.equal(nonce.value.length, 32);
    // The ledger itself.
    await assert.rejects(
      ledger.registerEnclave(validatorOf(0), 0, await network.document(0)),
      (e) =>
        e instanceof LedgerError && e.constant === "EBadDocument" &&
        /untrusted_root/.test(e.message),
    );
    assert.equal(await ledger.enclave(0), null);
    // The auditor: by name too.
    const args = {
      document: "-",
      at: "now",
      nonce: undefined,
      allowDebug: false,
      json: false,
    } as const;
    const approved = (simulatedRoot: boolean) => ({ kind: "ledger", dir, simulatedRoot }) as const;
    const policy = await policyOf({ ...args, approved: approved(false) }, network.clock);
    const { verdict } = await auditDocument(() => network.document(0), policy);
    assert.equal(verdict, "not_genuine");
    await assert.rejects(
      policyOf({ ...args, approved: approved(true) }, network.clock),
      /has no simulated root/,
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
