/** `deno task audit document` as an auditor runs it: what it prints, and the status that it ends with. */
import assert from "node:assert/strict";
import { STATUS, type Verdict } from "../../host/cli/audit/verdict.ts";
import { pcrsOf, T0, TestNetwork } from "../../host/ledger/testing.ts";
import { toHex } from "../../enclave/protocol/bytes.ts";
import { startCommand } from "../support/command.ts";

const AT = new Date(T0).toISOString();

/** Runs the command; its status is 2 where there is no verdict. */
async function audit(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await startCommand("audit", ["document", ...args]).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

/** A network's data directory with documents of its judge beside the ledger. */
async function inNetwork(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "vramhub-" });
  try {
    const network = await TestNetwork.found({ path: `${dir}/ledger.sqlite`, attested: false });
    using _ledger = network.ledger;
    const zero = new Map([0, 1, 2].map((index) => [index, new Uint8Array(48)]));
    const document = await network.document(0);
    await Deno.writeFile(`${dir}/sound.bin`, document);
    await Deno.writeFile(`${dir}/debug.bin`, await network.document(0, { fields: { pcrs: zero } }));
    await Deno.writeFile(`${dir}/other.bin`, await network.document(0, { build: 2 }));
    await Deno.writeFile(`${dir}/short.bin`, document.subarray(1));
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("audit document: each verdict ends with a status of its own", async () => {
  await inNetwork(async (dir) => {
    const ledger = ["--ledger", dir, "--simulated-root"];
    const late = new Date(T0 + 700_000).toISOString();
    const verdicts: [Verdict, string, string[]][] = [
      ["approved", "sound", [...ledger, "--at", AT]],
      ["approved", "debug", [...ledger, "--at", "document", "--allow-debug"]],
      ["not_approved", "other", [...ledger, "--at", AT]],
      ["not_approved", "sound", [...ledger, "--at", AT, "--nonce", "00"]],
      ["debug", "debug", [...ledger, "--at", AT]],
      ["expired", "sound", [...ledger, "--at", late]],
      ["not_genuine", "sound", ["--ledger", dir, "--at", AT]],
      ["unreadable", "short", [...ledger, "--at", AT]],
      ["unreadable", "gone", [...ledger, "--at", AT]],
    ];
    for (const [verdict, name, args] of verdicts) {
      const { code, out, err } = await audit(`${dir}/${name}.bin`, "--json", ...args);
      assert.equal(code, STATUS[verdict], out + err);
      const said = JSON.parse(out);
      assert.deepEqual([said.verdict, said.status], [verdict, code]);
    }
  });
});

Deno.test("audit document: without measurements to hold it against there is no verdict", async () => {
  await inNetwork(async (dir) => {
    const zeros = ["--pcr0", "--pcr1", "--pcr2"].flatMap((name) => [name, "00".repeat(48)]);
    await Deno.writeTextFile(`${dir}/pcrs.json`, "{}");
    for (
      const [args, why] of [
        [[], /Cannot audit without approved measurements/],
        [["--pcrs", `${dir}/pcrs.json`], /Cannot read approved measurements/],
        [zeros, /approves debug enclaves/],
      ] as const
    ) {
      const { code, out, err } = await audit(`${dir}/sound.bin`, ...args);
      assert.deepEqual([code, out], [2, ""]);
      assert.match(err, why);
    }
  });
});

Deno.test("audit document: PCRs of the command line stand under the AWS root alone", async () => {
  await inNetwork(async (dir) => {
    const pcrs = pcrsOf(1).flatMap((pcr, index) => [`--pcr${index}`, toHex(pcr)]);
    const { code, out } = await audit(`${dir}/sound.bin`, ...pcrs, "--at", AT);
    assert.equal(code, STATUS.not_genuine);
    assert.match(out, /^root +fail /m);
    assert.match(out, /NOT VERIFIED/);
  });
});
