/**
 * Vectors of the data: Merkle proofs, the data set's root, and what is drawn from a seed or a beacon.
 *
 * @module
 */
import { type Bytes, toHex, u32le } from "../../enclave/protocol/bytes.ts";
import {
  assignedPages,
  assignmentSeed,
  datasetRoot,
  encodeDataset,
  heldOutPages,
  randomPages,
  trainingPages,
} from "../../enclave/protocol/dataset.ts";
import { drawFromBeacon, drawFromSeed, type DrawKind } from "../../enclave/protocol/draw.ts";
import { leafHash, merkleLevels, merkleProof, merkleRoot } from "../../enclave/protocol/merkle.ts";
import {
  ASSIGN_BEACON,
  DATASET,
  JUDGE_BEACON,
  LEDGER,
  page,
  plain,
  u64,
  WINDOW,
} from "./inputs.ts";

/** The bound below 2^53 that refuses the most values, one in 2,049: just above 2^64 / 2049. */
const REFUSING = Number((1n << 64n) / 2049n + 1n);
/** The first number whose u32le, as a seed, gives a first value that is refused under {@link REFUSING}. */
const REFUSED_SEED = 1_475;

/** `assignment.json`. */
export function assignment(): unknown {
  const root = datasetRoot(DATASET);
  const kinds: DrawKind[] = ["random", "slice", "sample", "match"];
  const bounds = [4, 256, 1_000_003, 2 ** 40, REFUSING];
  return {
    about:
      'Page i is u32le(i), four times. root = SHA-256("vramhub/dataset/v1" ‖ BCS). seed = SHA-256("vramhub/data/v1" ‖ root ‖ uid u64le ‖ N u64le ‖ beacon). Draw k is the u64le at the start of SHA-256(seed ‖ k u32le); at or above the largest multiple of the bound it is drawn again, else it counts modulo the bound. A beacon\'s stream has "vramhub/{kind}/v1" ‖ ledger ‖ N u64le ‖ beacon for its seed.',
    dataset: {
      ...plain(DATASET, "pageCount"),
      bcs: toHex(encodeDataset(DATASET)),
      root: toHex(root),
      training_pages: u64(trainingPages(DATASET.pageCount)),
    },
    assigned: ([[0, WINDOW], [7, WINDOW], [258, WINDOW], [7, WINDOW + 1]] as const).map(
      ([uid, window]) => ({
        uid,
        window: u64(window),
        beacon: toHex(ASSIGN_BEACON),
        seed: toHex(assignmentSeed(root, uid, window, ASSIGN_BEACON)),
        pages: assignedPages(DATASET, uid, window, ASSIGN_BEACON, 4).map(u64),
      }),
    ),
    shared: {
      ledger: toHex(LEDGER),
      window: u64(WINDOW),
      beacon: toHex(JUDGE_BEACON),
      random: randomPages(DATASET, LEDGER, WINDOW, JUDGE_BEACON, 8).map(u64),
      held_out: heldOutPages(DATASET, LEDGER, WINDOW, JUDGE_BEACON, 16).map(u64),
    },
    streams: kinds.map((kind) => {
      const draw = drawFromBeacon(kind, LEDGER, WINDOW, JUDGE_BEACON);
      return {
        kind,
        draws: bounds.map((bound) => ({ bound: u64(bound), value: u64(draw(bound)) })),
      };
    }),
    rejected: {
      seed: toHex(u32le(REFUSED_SEED)),
      bound: u64(REFUSING),
      value: u64(drawFromSeed(u32le(REFUSED_SEED))(REFUSING)),
    },
  };
}

function tree(count: number): unknown {
  const leaves: Bytes[] = Array.from({ length: count }, (_, i) => leafHash(page(i)));
  const levels = merkleLevels(leaves);
  const shown = [...new Set([0, count >> 1, count - 2, count - 1])].filter((index) => index >= 0);
  return {
    count,
    root: toHex(merkleRoot(leaves)),
    proofs: shown.sort((a, b) => a - b).map((index) => ({
      index,
      leaf: toHex(leaves[index]!),
      proof: merkleProof(levels, index).map(toHex),
    })),
  };
}

/** `merkle.json`. */
export function merkle(): unknown {
  return {
    about:
      "Page i is u32le(i), four times. Leaf SHA-256(0x00 ‖ page), node SHA-256(0x01 ‖ left ‖ right), an odd node is promoted and gives no hash to a proof. A proof with any other index, leaf or root must fail.",
    trees: [1, 2, 3, 4, 5, 7, 8, 13, 33].map(tree),
  };
}
