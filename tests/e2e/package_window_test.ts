/** A network whose model is a package: the recorded one, of which miners train the last block. */
import assert from "node:assert/strict";
import { paramManifest } from "../../enclave/model/params.ts";
import { concat, u32le, utf8 } from "../../enclave/protocol/bytes.ts";
import { sha256 } from "../../enclave/protocol/hash.ts";
import { SETTLED } from "../../enclave/protocol/verdict.ts";
import { packageBlobs } from "../../host/cli/model/folder.ts";
import { Pages } from "../../host/store/pages.ts";
import { sparseWire } from "../../miner/codecs.ts";
import type { GradientSource } from "../../miner/source.ts";
import { World } from "../crash/world.ts";
import { recordedPackage, recordedValues } from "../support/package.ts";

const opened = await recordedPackage();
const { update, pages } = recordedValues();

/** What PyTorch recorded, whatever the window: uid 1 sends it negated. */
const source: GradientSource = {
  name: "recorded",
  device: "none",
  produce({ uid }) {
    const values = uid === 1 ? update.map((v) => -v) : update.slice();
    const indices = Uint32Array.from(values.keys());
    return Promise.resolve({
      ...sparseWire({ total: values.length, indices, values }),
      loss: null,
    });
  },
};

/** Pages like the recorded ones: their words in other orders. */
function similarPages(): Pages {
  const text = new TextDecoder().decode(Uint8Array.from(pages.flatMap((page) => [...page])));
  const words = text.split(/[^a-z]+/).filter((word) => word.length > 1);
  let state = 3;
  const length = opened.config.context + 1;
  const page = () => {
    let line = "";
    while (line.length < length) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      line += `${words[(state >>> 16) % words.length]} `;
    }
    return concat(...[...utf8(line).subarray(0, length)].map(u32le));
  };
  return new Pages(concat(...Array.from({ length: 120 }, page)), length, sha256(utf8("bytes")));
}

Deno.test("Validator: judges a package's windows, hands the judge its graph once, and the base moves", async () => {
  const data = similarPages();
  const warnings: string[] = [];
  const { config } = opened;
  const world = await World.found({
    model: { config, blobs: packageBlobs(opened) },
    source,
    data: { dataset: data.dataset, open: () => Promise.resolve(data) },
    log: (level, _, message) => void (level === "info" || warnings.push(message)),
  });
  const parties = [world.validator(), world.miner(0), world.miner(1)];
  await world.until(2);
  const first = await world.ledger.window(1);
  assert.deepEqual(first.settled!.rows.map(({ verdict }) => verdict), [
    SETTLED.accepted,
    SETTLED.harmful,
  ]);
  assert.ok(first.payout!.mergedHash !== null, "the base moved");
  const third = await world.ledger.window(3);
  assert.notDeepEqual(third.baseHash, first.baseHash);
  assert.deepEqual(third.baseHash, first.payout!.mergedHash);
  assert.deepEqual(third.context.modelHash, opened.hash);
  assert.equal(paramManifest(config).total, update.length);
  assert.deepEqual(warnings, []);
  await world.close(parties);
});
