/** A package before a judge that is locked down in a process of its own, over HTTP. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeReport, type Report } from "../../enclave/protocol/report.ts";
import { packageBlobs } from "../../host/cli/model/folder.ts";
import { JudgeClient } from "../../host/courier/judge_client.ts";
import { startJudge } from "../../host/courier/judge_process.ts";
import { createTestRoot } from "../../host/credentials/test_root.ts";
import { PCRS } from "../crash/judge.ts";
import { PackageNet, recordedPackage, recordedValues } from "../support/package.ts";
import { blobsOf, bodyOf, createTestJudge, identityOf, supply, v1 } from "../support/window.ts";

const opened = await recordedPackage();
const { update } = recordedValues();
const net = new PackageNet(opened);
const indices = Uint32Array.from(update.keys());
const window = net.window(3, [v1(1, { total: update.length, indices, values: update })]);

Deno.test("startJudge: a locked-down judge measures a package as one in this process does", async () => {
  const dir = await Deno.makeTempDir();
  const root = await createTestRoot(join(dir, "root"));
  const socketPath = join(dir, "judge.sock");
  const judge = await startJudge({ socketPath, leaf: await root.issueLeaf(), pcrs: [...PCRS] });
  const client = JudgeClient.unix(socketPath);
  const here = await createTestJudge();
  try {
    await client.configure(identityOf(7));
    const payload = net.named(window.report());
    for (const { hash, bytes } of blobsOf(window)) await client.putBlob(hash, bytes);
    await assert.rejects(client.process(payload), { code: "missing_blob" });
    for (const { hash, bytes } of packageBlobs(opened)) await client.putBlob(hash, bytes);
    const theirs = decodeReport((await client.process(payload)).message);

    supply(here, window);
    net.supply(here);
    const mine = decodeReport((await here.process(bodyOf(payload))).message);
    const measured = ({ entries, randomBefore, windowDigest }: Report) => [
      windowDigest,
      randomBefore,
      entries,
    ];
    assert.deepEqual(measured(theirs), measured(mine));
    assert.ok(mine.entries[0]!.randomAfter! < mine.randomBefore!);
  } finally {
    client.close();
    await here.close();
    await judge.stop();
    await Deno.remove(dir, { recursive: true });
  }
});
