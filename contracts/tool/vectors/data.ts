/**
 * Tests of data sets: roots, pages by draw, Merkle proofs.
 *
 * @module
 */
import { fromHex, toHex, u32le, u64le, utf8 } from "../../../enclave/protocol/bytes.ts";
import { equals, flipped, hex, list, type MoveTest, type MoveTests, vectors } from "./write.ts";

const USES = ["vramhub::dataset_registry as dr"];

/** The root, the seeds and pages of miners, and streams with a value that is drawn again. */
export function assignmentTests(): MoveTests {
  const { dataset, assigned, shared, streams, rejected } = vectors("assignment");
  const { page_count, page_tokens, tokenizer_hash, merkle_root, root, training_pages } = dataset;
  const tests: MoveTest[] = [{
    name: "root binds every part",
    body: [
      equals(
        `dr::root_of(${page_count}, ${page_tokens}, ${hex(tokenizer_hash)}, ${hex(merkle_root)})`,
        hex(root),
      ),
      equals(`dr::training_of(${page_count})`, training_pages),
    ],
  }];
  for (const { uid, window, beacon, seed, pages } of assigned) {
    tests.push({
      name: `pages of ${uid} in ${window}`,
      body: [
        equals(`dr::assignment_seed(${hex(root)}, ${uid}, ${window}, ${hex(beacon)})`, hex(seed)),
        equals(
          `dr::assigned_pages(${
            [hex(root), page_count, uid, window, hex(beacon), pages.length].join(", ")
          })`,
          list("u64", pages),
        ),
      ],
    });
  }
  for (const { kind, draws } of streams) {
    const parts = [fromHex(shared.ledger), u64le(BigInt(shared.window)), fromHex(shared.beacon)];
    const seed = toHex(utf8(`vramhub/${kind}/v1`)) + parts.map(toHex).join("");
    tests.push({
      name: `stream ${kind}`,
      body: [
        "let mut counter = 0u32;",
        ...draws.flatMap(({ bound, value }: Record<string, string>) => [
          `let (value, next) = dr::draw_for_testing(${hex(seed)}, counter, ${bound});`,
          equals("value", value!),
          "counter = next;",
        ]),
      ],
    });
  }
  tests.push({
    name: "value past the largest multiple is drawn again",
    body: [
      `let (value, next) = dr::draw_for_testing(${hex(rejected.seed)}, 0, ${rejected.bound});`,
      equals("value", rejected.value),
      "assert!(next > 1);",
    ],
  });
  return { module: "dataset_registry", topic: "assignment", uses: USES, tests };
}

/** Proofs of every shape of tree: the right one, and each near miss. */
export function merkleTests(): MoveTests {
  const { trees } = vectors("merkle");
  const tests = trees.map(({ count, root, proofs }: {
    count: number;
    root: string;
    proofs: { index: number; leaf: string; proof: string[] }[];
  }): MoveTest => ({
    name: `tree of ${count}`,
    body: proofs.flatMap(({ index, leaf, proof }) => {
      const page = hex(toHex(u32le(index)).repeat(4));
      const verify = (index: number, leaf: string, proof: readonly string[], root: string) =>
        `dr::verify_merkle(${hex(root)}, ${count}, ${index}, ${hex(leaf)}, ${
          list("vector<u8>", proof.map(hex))
        })`;
      return [
        equals(`dr::leaf_hash(${page})`, hex(leaf)),
        `assert!(${verify(index, leaf, proof, root)});`,
        `assert!(!${verify(index + 1, leaf, proof, root)});`,
        ...count > 1
          ? [`assert!(!${verify((index + count - 1) % count, leaf, proof, root)});`]
          : [],
        `assert!(!${verify(index, flipped(leaf, 0), proof, root)});`,
        `assert!(!${verify(index, leaf, proof, flipped(root, 31))});`,
        `assert!(!${verify(index, leaf, [...proof, leaf], root)});`,
        ...proof.length > 0 ? [`assert!(!${verify(index, leaf, proof.slice(1), root)});`] : [],
      ];
    }),
  }));
  return { module: "dataset_registry", topic: "merkle", uses: USES, tests };
}
