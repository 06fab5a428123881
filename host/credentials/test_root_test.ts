import assert from "node:assert/strict";
import { join } from "node:path";
import { readCertificate } from "../../attestation/certificate.ts";
import { AttestationError, type Policy, verify } from "../../attestation/mod.ts";
import { SimulatedNsm } from "../../enclave/nsm/simulated.ts";
import { type Bytes, fromHex } from "../../enclave/protocol/bytes.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { createTestRoot, loadTestRoot, openTestRoot, TEST_ROOT_FILE } from "./test_root.ts";

const NOW = Date.UTC(2026, 0, 1, 0, 0, 0, 500);

async function inTempDir(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await run(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("createTestRoot: keeps one file with mode 0600, and never replaces it", async () => {
  await inTempDir(async (dir) => {
    const made = await createTestRoot(join(dir, "deep", "er"));
    const path = join(dir, "deep", "er");
    assert.equal((await Deno.stat(join(path, TEST_ROOT_FILE))).mode! & 0o777, 0o600);
    await assert.rejects(createTestRoot(path), Deno.errors.AlreadyExists);
    assert.deepEqual([...Deno.readDirSync(path)].map((entry) => entry.name), [TEST_ROOT_FILE]);
    assert.deepEqual((await loadTestRoot(path)).root, made.root);
    assert.deepEqual((await openTestRoot(path)).root, made.root);
  });
});

Deno.test("loadTestRoot: refuses an absent, a readable, a broken and a long file", async () => {
  await inTempDir(async (dir) => {
    await assert.rejects(loadTestRoot(dir), Deno.errors.NotFound);
    await openTestRoot(dir);
    const path = join(dir, TEST_ROOT_FILE);
    await Deno.chmod(path, 0o644);
    await assert.rejects(loadTestRoot(dir), /0600/);
    await Deno.chmod(path, 0o600);
    await Deno.truncate(path, 100);
    await assert.rejects(loadTestRoot(dir), Refusal);
    await Deno.writeFile(path, new Uint8Array(8_193));
    await assert.rejects(loadTestRoot(dir), /8193/);
  });
});

Deno.test("issueLeaf: a judge's document verifies under the loaded root, and only there", async () => {
  await inTempDir(async (dir) => {
    await createTestRoot(dir);
    const root = await loadTestRoot(dir);
    const pcrs: [Bytes, Bytes, Bytes] = [filled(1), filled(2), filled(3)];
    const leaf = await root.issueLeaf({ now: NOW });
    const nsm = await SimulatedNsm.create({ ...leaf, pcrs, clock: () => NOW });
    const userData = new Uint8Array([1]);
    const publicKey = fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    const { document } = await nsm.attest({ publicKey, userData, nonce: filled(5) });
    const policy: Policy = {
      root: { kind: "simulated", der: root.root },
      time: { kind: "live", now: NOW },
      measurements: [{ name: "local", pcrs: new Map(pcrs.entries()) }],
      nonce: filled(5),
      publicKey,
      userData,
    };
    const attested = await verify(document, policy);
    assert.deepEqual([attested.root, attested.measurement], ["simulated", "local"]);
    assert.ok(attested.notAfter > NOW + 300 * 86_400_000);
    for (const other of [{ kind: "aws" as const }, await foreignRoot(dir)]) {
      await assert.rejects(
        verify(document, { ...policy, root: other }),
        (e) => e instanceof AttestationError && e.code === "untrusted_root",
      );
    }
  });
});

async function foreignRoot(dir: string) {
  const der = (await createTestRoot(join(dir, "other"))).root;
  return { kind: "simulated" as const, der };
}

function filled(value: number): Bytes {
  return new Uint8Array(48).fill(value);
}

Deno.test("issueLeaf: every leaf has a key of its own and a bounded life", async () => {
  await inTempDir(async (dir) => {
    const root = await createTestRoot(dir);
    const [a, b] = [await root.issueLeaf({ now: 1_000 }), await root.issueLeaf({ now: 1_000 })];
    assert.notDeepEqual(a.pkcs8, b.pkcs8);
    assert.deepEqual(a.cabundle[0], root.root);
    assert.equal(a.cabundle.length, 2);
    const { notBefore, notAfter } = readCertificate(
      (await root.issueLeaf({ now: NOW, lifetimeMs: 60_000 })).certificate,
      "certificate",
    );
    assert.deepEqual([notBefore, notAfter], [NOW - 500, NOW - 500 + 60_000]);
  });
});
