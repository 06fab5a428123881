/**
 * The wire formats that a miner can send, by the names that `--codec` takes.
 *
 * @module
 */
import type { Manifest } from "../enclave/model/params.ts";
import type { Bytes } from "../enclave/protocol/bytes.ts";
import {
  asReceived,
  CODEC_TEMPLAR,
  CODEC_V2,
  encodeTemplar,
  encodeV2,
  type GradientMeta,
  type SparseUpdate,
} from "../enclave/protocol/gradient/mod.ts";
import type { Hparams } from "../enclave/protocol/hparams.ts";
import { compressTemplar } from "./compress/templar.ts";
import { countOf, topK } from "./compress/topk.ts";

/** A gradient that is ready to be sent. */
export interface Wire {
  /** What its readers will see of it. */
  readonly update: SparseUpdate;
  /** The number of its format, as a reveal names it. */
  readonly codec: number;
  /** Its bytes. */
  encode(meta: GradientMeta): Bytes;
}

/** A wire format with the model that it is for. */
export interface Codec {
  /** As `--codec` names it. */
  readonly name: string;
  /**
   * What is sent of `gradient` under the ledger's `topk_bps` and `max_gradient_bytes`; `choose` asks the trainer for its
   * entries, for a format that leaves the choice to it.
   */
  compress(
    gradient: Float32Array,
    hparams: Hparams,
    choose: () => SparseUpdate | Promise<SparseUpdate>,
  ): Wire | Promise<Wire>;
}

/** `update` in format 2: halves with a scale a block. */
export function sparseWire(update: SparseUpdate): Wire {
  return {
    update: asReceived(update, CODEC_V2),
    codec: CODEC_V2,
    encode: (meta) => encodeV2(update, meta),
  };
}

/** The `most` largest entries of `update`. */
function largest(update: SparseUpdate, most: number): SparseUpdate {
  const { total, indices, values } = update;
  if (indices.length <= most || values.length !== indices.length) return update;
  const { indices: at, values: kept } = topK(values, most);
  return { total, indices: Uint32Array.from(at, (j) => indices[j]!), values: kept };
}

/** Format 2 with the entries that the trainer chose, the largest of them where those are too many. */
export const TOPK: Codec = {
  name: "topk",
  async compress(gradient, hparams, choose) {
    const most = countOf(gradient.length, percentOf(hparams));
    return sparseWire(largest(await choose(), most));
  },
};

/** Format 3: the same number of entries from each block of each matrix, whatever the trainer would choose. */
function templar({ params }: Manifest): Codec {
  const shapes = params.map(({ shape }) => shape);
  return {
    name: "templar",
    compress(gradient, hparams) {
      const { gradient: blocks, update } = compressTemplar(gradient, shapes, {
        percent: percentOf(hparams),
        maxBytes: hparams.max_gradient_bytes,
      });
      return { update, codec: CODEC_TEMPLAR, encode: (meta) => encodeTemplar(blocks, meta) };
    },
  };
}

const percentOf = ({ topk_bps }: Hparams): number => topk_bps / 100;

/** All of them, each for the model of a manifest. */
export const CODECS: Readonly<Record<string, (manifest: Manifest) => Codec>> = {
  topk: () => TOPK,
  templar,
};
