/**
 * Tests of commitments, of the fold of reveals, of a window's digest and of its beacon rounds.
 *
 * @module
 */
import { toHex } from "../../../enclave/protocol/bytes.ts";
import { firstRoundAfter, firstRoundAtOrAfter, QUICKNET } from "../../../enclave/protocol/drand.ts";
import { DEFAULT_HPARAMS, encodeHparams } from "../../../enclave/protocol/hparams.ts";
import { equals, flipped, hex, type MoveTest, type MoveTests, vectors } from "./write.ts";

/** Bytes of a context before its randomness, each of two hex digits. */
const BEFORE_RANDOMNESS = 2 * (32 + 32 + 1 + 1 + 8 + 4 * 32);

/** What a miner commits to. */
export function commitTests(): MoveTests {
  const { ledger, window, commitments } = vectors("commit");
  const tests = commitments.map(
    ({ uid, content_hash, salt, commitment }: Record<string, string>) => {
      const made = (salt: string, uid: string, window: string) =>
        `gr::commitment_of(${hex(ledger)}, ${uid}, ${window}, ${hex(content_hash!)}, ${hex(salt)})`;
      return {
        name: `commitment of ${uid}`,
        body: [
          equals(made(salt!, uid!, window), hex(commitment!)),
          `assert!(${made(flipped(salt!, 31), uid!, window)} != ${hex(commitment!)});`,
          `assert!(${made(salt!, `${uid} + 1`, window)} != ${hex(commitment!)});`,
          `assert!(${made(salt!, uid!, `${window} + 1`)} != ${hex(commitment!)});`,
        ],
      };
    },
  );
  const uses = ["vramhub::gradient_registry as gr"];
  return { module: "gradient_registry", topic: "commit", uses, tests };
}

/** The accumulator over the reveals, digests of contexts of both kinds of randomness, and rounds by time. */
export function roundTests(): MoveTests {
  const { reveals, contexts } = vectors("commit");
  const empty = hex("00".repeat(32));
  let acc = empty;
  const folds: string[] = [];
  for (const { uid, commit_seq, content_hash, size, codec, acc: next } of reveals) {
    const fields = [uid, commit_seq, hex(content_hash), size, codec].join(", ");
    folds.push(equals(`round_state::folded(${acc}, ${fields})`, hex(next)));
    acc = hex(next);
  }
  const tests: MoveTest[] = [{ name: "reveals fold in their order", body: folds }];
  for (const context of contexts) {
    const { hparams_digest, bcs, chain_id, ledger_id, model_hash, base_hash, dataset_root } =
      context;
    const kind = context.randomness.kind === "drand" ? 0 : 1;
    const params = encodeHparams({ ...DEFAULT_HPARAMS, randomness_kind: kind });
    const digest = (acc: string) =>
      `round_state::digest_of_for_testing(${
        [
          hex(chain_id),
          hex(ledger_id),
          "&params",
          context.window,
          hex(model_hash),
          hex(base_hash),
          hex(dataset_root),
          hex(bcs.slice(BEFORE_RANDOMNESS)),
          acc,
        ].join(", ")
      })`;
    tests.push({
      name: `digest of a window with ${context.randomness.kind}`,
      body: [
        `let params = hparams::decode(${hex(toHex(params))});`,
        equals("params.digest()", hex(hparams_digest)),
        equals(digest(acc), hex(context.digest)),
        equals(digest(empty), hex(context.digest_without_reveals)),
      ],
    });
  }
  const { genesisMs, periodMs } = QUICKNET;
  const times = [0, genesisMs - 1, genesisMs, genesisMs + 1, genesisMs + periodMs, 1774380570000];
  tests.push({
    name: "beacon rounds by time",
    body: times.flatMap((time) => [
      `let (after, at) = round_state::rounds_for_testing(${genesisMs}, ${periodMs}, ${time});`,
      equals("after", firstRoundAfter(QUICKNET, time)),
      equals("at", firstRoundAtOrAfter(QUICKNET, time)),
    ]),
  });
  const uses = ["vramhub::hparams", "vramhub::round_state"];
  return { module: "round_state", topic: "digest", uses, tests };
}
