/**
 * The checks of what the window's digest binds: rules, data, model, times, randomness, reveals, bases, pages.
 *
 * @module
 */
import { modelHash } from "../../../enclave/model/modelhash.ts";
import { checkConfig, pageTokens } from "../../../enclave/model/presets.ts";
import { decodeManifest, manifestHash } from "../../../enclave/protocol/base.ts";
import { type Bytes, equal, toHex } from "../../../enclave/protocol/bytes.ts";
import { foldReveals, windowDigest } from "../../../enclave/protocol/commit.ts";
import { datasetRoot } from "../../../enclave/protocol/dataset.ts";
import { firstRoundAfter, firstRoundAtOrAfter } from "../../../enclave/protocol/drand.ts";
import { hparamsDigest } from "../../../enclave/protocol/hparams.ts";
import { leafHash, verifyMerkle } from "../../../enclave/protocol/merkle.ts";
import { drawnPages } from "../../receipt/mod.ts";
import { type Facts, holds, same } from "./facts.ts";

const short = (hash: Uint8Array) => `${toHex(hash).slice(0, 8)}…`;

/** Rules, data set and model are those that the context names. */
export function checkContext({ context, hparams, dataset, model }: Facts): string {
  same(hparamsDigest(hparams), context.hparamsDigest, "the hparams' digest");
  holds(
    hparams.workload === context.workload && hparams.version === context.version,
    "the workload is not that of the hparams",
  );
  same(datasetRoot(dataset), context.datasetRoot, "the data set's root");
  checkConfig(model);
  same(modelHash(model), context.modelHash, "the model's hash");
  holds(dataset.pageTokens === pageTokens(model), "a page's length is not the model's");
  const kind = hparams.randomness_kind === 0 ? "drand" : "ledger";
  holds(context.randomness.kind === kind, `the randomness is not of the hparams' kind, ${kind}`);
  return `model ${short(context.modelHash)}, hparams ${short(context.hparamsDigest)}, data ${
    short(context.datasetRoot)
  }`;
}

/** The epochs place the window, and the beacon's rounds follow from its times. */
export function checkTimes({ window, epochs, hparams, deadlines, chain, context }: Facts): string {
  const [running, ...later] = epochs;
  holds(running!.firstWindow <= window, `the first epoch begins after window ${window}`);
  holds(running!.windowMs === hparams.window_ms, "the epoch's windows are not the hparams'");
  let before = running!;
  for (const epoch of later) {
    const { firstWindow, startMs } = epoch;
    const expected = before.startMs + (firstWindow - before.firstWindow) * before.windowMs;
    holds(
      firstWindow > window && firstWindow > before.firstWindow && firstWindow <= window + 2 &&
        startMs === expected,
      `the epoch from window ${firstWindow} does not follow the one before it`,
    );
    before = epoch;
  }
  const { start, reveal } = deadlines;
  const from = `from ${new Date(start).toISOString()}, ${hparams.window_ms} ms`;
  if (chain === null || context.randomness.kind !== "drand") return from;
  const { assignRound, judgeRound } = context.randomness;
  const assign = firstRoundAfter(chain, start);
  const judge = firstRoundAtOrAfter(chain, reveal + hparams.beacon_margin_ms);
  holds(
    BigInt(assignRound) === assign && BigInt(judgeRound) === judge,
    `rounds ${assignRound} and ${judgeRound} are not ${assign} and ${judge}, as its times say`,
  );
  return `${from}; rounds ${assignRound} and ${judgeRound} follow`;
}

/** Both rounds are the chain's (BLS12-381), or the ledger drew. */
export function checkBeacon(facts: Facts): string {
  const { context, drawn } = facts;
  if (drawn === null) return "none: nothing was revealed, nothing was drawn";
  if (context.randomness.kind === "ledger") return "drawn by the ledger: nothing to verify here";
  return `2 BLS signatures of chain ${short(context.randomness.chainHash)}`;
}

/** The reveals fold to the window's digest, which every report signs. */
export function checkReveals({ receipt, reveals, context, hparams }: Facts): string {
  for (const key of ["uid", "commitSeq"] as const) {
    const distinct = new Set(reveals.map((reveal) => reveal[key])).size;
    holds(distinct === reveals.length, `a ${key} occurs twice among the reveals`);
  }
  const large = reveals.find(({ size }) => size < 1 || size > hparams.max_gradient_bytes);
  holds(large === undefined, `uid ${large?.uid} revealed ${large?.size} bytes`);
  same(receipt.acc, foldReveals(reveals), "the fold of the reveals");
  same(receipt.digest, windowDigest(context, receipt.acc), "the window's digest");
  return `${reveals.length} reveals fold to digest ${short(receipt.digest)}`;
}

/** The manifests at hand are of this window's bases, and the merge's parent is base(N+1). */
export function checkManifests({ receipt, context, window }: Facts): string {
  const { settlement, payout } = receipt;
  const wanted: [name: string, hash: Bytes | null | undefined][] = [
    [`base(${window})`, context.baseHash],
    [`base(${window + 1})`, settlement?.next_base],
    [`base(${window + 2})`, payout?.merged_hash],
  ];
  const found = new Set<string>();
  for (const bytes of receipt.manifests) {
    const manifest = decodeManifest(bytes);
    const hash = manifestHash(manifest);
    const names = wanted.filter(([, other]) => other && equal(other, hash)).map(([name]) => name);
    holds(names.length > 0, `manifest ${toHex(hash)} is none of this window's`);
    holds(!found.has(names[0]!), `the manifest of ${names[0]} is there twice`);
    names.forEach((name) => found.add(name));
    same(manifest.modelHash, context.modelHash, `the model of ${names[0]}`);
    if (payout?.merged_hash && equal(hash, payout.merged_hash)) {
      holds(manifest.window === window, `the merge is of window ${manifest.window}`);
      same(manifest.parent, settlement!.next_base, "the merge's parent");
    }
  }
  const lacking = wanted.filter(([name, hash]) => hash && !found.has(name)).map(([name]) => name);
  const absent = lacking.length === 0 ? "" : `; not in the receipt: ${lacking.join(", ")}`;
  return `${[...found].join(", ") || "none"}${absent}`;
}

/** The pages are exactly those that the beacon drew, each with its place in the data set. */
export function checkPages(facts: Facts): string {
  const { receipt: { pages }, context, hparams, dataset, uids, drawn } = facts;
  const wanted = drawn === null ? [] : drawnPages({ context, hparams, dataset, uids, ...drawn });
  holds(
    wanted.length === pages.length && wanted.every((index, i) => index === pages[i]!.index),
    "the pages are not those that the beacon drew",
  );
  for (const { index, tokens, proof } of pages) {
    holds(tokens.length === 4 * dataset.pageTokens, `page ${index} has ${tokens.length} bytes`);
    holds(proof.length % 32 === 0, `the proof of page ${index} is not whole`);
    const hashes = Array.from(
      { length: proof.length / 32 },
      (_, i) => proof.subarray(32 * i, 32 * i + 32),
    );
    holds(
      verifyMerkle(dataset.merkleRoot, dataset.pageCount, index, leafHash(tokens), hashes),
      `page ${index} is not in the data set`,
    );
  }
  return `${pages.length} drawn pages, each with its Merkle proof`;
}
