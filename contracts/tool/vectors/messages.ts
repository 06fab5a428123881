/**
 * Tests of the bytes that a judge signs: reports and outcomes, read, verified and refused, and the digest between them.
 *
 * @module
 */
import {
  biased,
  equals,
  flipped,
  hex,
  list,
  type MoveTest,
  type MoveTests,
  vectors,
} from "./write.ts";

const USES = ["sui::ed25519", "vramhub::score_ledger"];

/** One intent's messages. */
function messageTests(topic: "report" | "outcome"): MoveTests {
  const { key, messages, refused } = vectors(topic);
  const tests: MoveTest[] = messages.map((
    { name, chain_id, ledger_id, validator, window, bytes, signature }: Record<string, string>,
  ) => {
    const verify = (signature: string, message: string) =>
      `ed25519::ed25519_verify(&${hex(signature)}, &${hex(key.public_key)}, &${hex(message)})`;
    return {
      name: `${name} is read and verified`,
      body: [
        topic === "report"
          ? `let head = score_ledger::decode_report(&${hex(bytes!)});`
          : `let (head, _vote) = score_ledger::decode_outcome(&${hex(bytes!)});`,
        equals("*head.head_chain_id()", hex(chain_id!)),
        equals("*head.head_ledger_id()", hex(ledger_id!)),
        equals("head.head_validator()", validator!),
        equals("head.head_subject()", window!),
        `assert!(${verify(signature!, bytes!)});`,
        `assert!(!${verify(flipped(signature!, 0), bytes!)});`,
        `assert!(!${verify(signature!, flipped(bytes!, bytes!.length / 2 - 1))});`,
      ],
    };
  });
  for (const { name, bytes } of refused) {
    tests.push({
      name: `${name} is refused`,
      body: [`score_ledger::decode_${topic}(&${hex(bytes)});`],
      aborts: "score_ledger::EBadMessage",
    });
  }
  return { module: "score_ledger", topic, uses: USES, tests };
}

/** Intent 1. */
export function reportTests(): MoveTests {
  return messageTests("report");
}

/** Intent 2. */
export function outcomeTests(): MoveTests {
  return messageTests("outcome");
}

/** The digest that an outcome answers: of every settlement, row for row. */
export function settledTests(): MoveTests {
  const { settlements } = vectors("settle");
  const tests = settlements.map(
    // deno-lint-ignore no-explicit-any
    ({ name, window_digest, next_base, settled_random_before, miners, digest }: any): MoveTest => {
      // deno-lint-ignore no-explicit-any
      const rows = miners.map(({ uid, settled, prior_mu, prior_sigma }: any) => {
        const losses = [settled.own_before, settled.own_after, settled.random_after].map(biased);
        const fields = [uid, settled.verdict, ...losses, biased(prior_mu), prior_sigma];
        return `score_ledger::row_for_testing(${fields.join(", ")})`;
      });
      const head = [hex(window_digest), hex(next_base), biased(settled_random_before)].join(", ");
      return {
        name: `digest of ${name}`,
        body: [
          `let rows = ${list("score_ledger::SettledRow", rows)};`,
          equals(`score_ledger::settled_digest_for_testing(${head}, rows)`, hex(digest)),
        ],
      };
    },
  );
  return { module: "score_ledger", topic: "settled", uses: USES, tests };
}
