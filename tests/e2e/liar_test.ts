import assert from "node:assert/strict";
import { LIARS } from "../../host/cli/args_values.ts";
import { ended, only, startCommand } from "../support/command.ts";

/** What the ledger says to each lie; an abstention is no lie that it could see. */
const REFUSAL: Readonly<Record<string, RegExp | null>> = {
  abstain: null,
  swap: /score_ledger::EWrongDigest/,
  stale: /score_ledger::EWrongPhase/,
  forge: /score_ledger::EBadSignature/,
};

for (const liar of LIARS) {
  Deno.test(`--validators 3 --liar ${liar}: the settlement is the honest one, and the liar earns nothing by it`, async () => {
    const dir = await Deno.makeTempDir();
    try {
      const { code, events, stderr } = await ended(startCommand("validator", [
        "--test-mode",
        "--model",
        "tiny",
        "--json",
        "--windows",
        "2",
        "--window-seconds",
        "8",
        "--validators",
        "3",
        "--liar",
        liar,
        "--data-dir",
        dir,
      ]));
      assert.equal(code, 0, stderr);
      const settled = only(events, "settled");
      assert.deepEqual(settled.map(({ window }) => window), [1, 2]);
      for (const { rows } of settled) {
        assert.deepEqual(
          rows.map(({ verdict }) => verdict),
          ["accepted", "accepted", "zero", "harmful", "duplicate"],
        );
      }
      const { validators } = settled[1]!;
      assert.deepEqual(validators.map(({ counted }) => counted), [true, true, false]);
      assert.equal(validators[2]!.role, `lying courier: ${liar}`);
      assert.equal(validators[2]!.reward, "0");
      assert(BigInt(validators[0]!.reward) > 0n);
      assert.equal(validators[0]!.reward, validators[1]!.reward);
      const refused = only(events, "log").filter(({ message }) =>
        message === "Ledger refused the lie"
      );
      const expected = REFUSAL[liar];
      if (expected === null) assert.equal(refused.length, 0);
      else assert.match(String(refused.at(-1)?.fields.reason), expected!);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}
