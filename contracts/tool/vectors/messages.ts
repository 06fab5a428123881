/**
 * Tests of the bytes that a judge signs: reports and outcomes, read, verified and refused.
 *
 * @module
 */
import { equals, flipped, hex, type MoveTest, type MoveTests, vectors } from "./write.ts";

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
