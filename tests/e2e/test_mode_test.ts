import assert from "node:assert/strict";
import { ended, only, startCommand } from "../support/command.ts";

// Windows longer than the machine needs: other tests run beside these.
const TINY = ["--test-mode", "--model", "tiny", "--json", "--window-seconds", "6"];

Deno.test("validator --test-mode: honest miners are paid, the others get their verdict and nothing", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const { code, events, stderr } = await ended(
      startCommand("validator", [...TINY, "--windows", "3", "--data-dir", dir]),
    );
    assert.equal(code, 0, stderr);
    const [network] = only(events, "network");
    assert.equal(network?.simulated, true);
    assert.equal(only(events, "attestation")[0]?.root, "simulated");
    const settled = only(events, "settled");
    assert.deepEqual(settled.map(({ window }) => window), [1, 2, 3]);
    const verdicts: Record<string, string> = {
      honest: "accepted",
      idle: "zero",
      poisoned: "harmful",
      copier: "duplicate",
    };
    for (const { rows } of settled) {
      assert.deepEqual(rows.map(({ role }) => role), [
        "honest",
        "honest",
        "idle",
        "poisoned",
        "copier",
      ]);
      for (const { role, verdict } of rows) assert.equal(verdict, verdicts[role!], role);
    }
    const [done] = only(events, "done");
    assert.equal(done?.windows, 3);
    for (const { role, total } of done!.paid) {
      if (role === "honest") assert(BigInt(total) > 0n, `${role} was paid ${total}`);
      else assert.equal(total, "0", role);
    }
    // 3 windows, the first of which pays nobody: two emissions of 70 VRAM, less the dust.
    const paid = done!.paid.reduce((sum, { total }) => sum + BigInt(total), 0n);
    assert(paid > 139_999_999_990n && paid <= 140_000_000_000n, `${paid} was paid`);
    assert(done!.heldoutEnd < done!.heldoutStart - 0.2);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("miner --test-mode: joins a running network and is judged as everybody", async () => {
  const dir = await Deno.makeTempDir();
  const validator = startCommand("validator", [
    ...TINY,
    "--windows",
    "4",
    "--miners",
    "honest",
    "--data-dir",
    dir,
  ]);
  const running = ended(validator);
  try {
    for (;;) {
      const founded = await Deno.stat(`${dir}/validator-0.journal`).catch(() => null);
      if (founded !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const args = ["--test-mode", "--json", "--data-dir", dir, "--role", "idle", "--windows", "1"];
    const joined = await ended(startCommand("miner", args));
    assert.equal(joined.code, 0, joined.stderr);
    const messages = only(joined.events, "log").map(({ message }) => message);
    assert(messages.includes("No VRAMHUB_MINER_UID set - looking up on-chain..."));
    assert(messages.includes("Registering as miner with 1 SUI stake"));
    assert(messages.includes("Saved uid=1 to .vramhub-uid"));
    assert(messages.includes("Gradient uploaded"), messages.join("\n"));
    const { code, events, stderr } = await running;
    assert.equal(code, 0, stderr);
    const rows = only(events, "settled").flatMap(({ rows }) => rows).filter(({ uid }) => uid === 1);
    assert.deepEqual(
      rows.map(({ verdict }) => verdict).filter((verdict) => verdict !== "no_reveal"),
      ["zero"],
    );
  } finally {
    try {
      validator.kill("SIGTERM");
    } catch {
      // it has ended
    }
    await running;
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("validator --test-mode: resumes the network of its data directory", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const args = [...TINY, "--windows", "1", "--miners", "honest", "--data-dir", dir];
    const first = await ended(startCommand("validator", args));
    assert.equal(first.code, 0, first.stderr);
    const second = await ended(startCommand("validator", args));
    assert.equal(second.code, 0, second.stderr);
    // A merge of window 1 is the base of window 3; the second run may begin in window 2.
    const known = only(first.events, "heldout").map(({ baseHash }) => baseHash);
    assert(known.includes(only(second.events, "heldout")[0]!.baseHash));
    assert.equal(
      only(second.events, "network")[0]?.pcrs[2],
      only(first.events, "network")[0]?.pcrs[2],
    );
    assert.equal(only(second.events, "settled")[0]?.rows[0]?.verdict, "accepted");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
