/**
 * Commit, reveal, and the digest that binds everything a window's judgement depends on.
 *
 * @module
 */
import { BcsReader, BcsWriter } from "./bcs.ts";
import type { Bytes } from "./bytes.ts";
import { tagged } from "./hash.ts";
import { Refusal } from "./refusal.ts";

/** A revealed gradient, as the ledger numbered it. */
export interface Reveal {
  /** The miner's slot. */
  readonly uid: number;
  /** The ledger's number of the commit: who was first. */
  readonly commitSeq: number;
  /** SHA-256 of the gradient's bytes. */
  readonly contentHash: Bytes;
  /** Their length. */
  readonly size: number;
  /** The wire format (see `gradient/`). */
  readonly codec: number;
}

/** What a miner commits to before anybody can see its gradient: `SHA-256("vramhub/commit/v1" ‖ ledger ‖ uid ‖ N ‖ content ‖ salt)`. */
export function commitment(
  ledgerId: Uint8Array,
  uid: number,
  window: number,
  contentHash: Uint8Array,
  salt: Uint8Array,
): Bytes {
  return tagged(
    "vramhub/commit/v1",
    new BcsWriter().fixed(ledgerId, 32).u16(uid).u64(window).fixed(contentHash, 32).fixed(salt, 32)
      .finish(),
  );
}

/** The accumulator before the first reveal. */
export const EMPTY_ACC: Bytes = new Uint8Array(32);

/** `SHA-256("vramhub/reveal/v1" ‖ acc ‖ uid ‖ commit_seq ‖ content_hash ‖ size ‖ codec)`. */
export function foldReveal(acc: Uint8Array, reveal: Reveal): Bytes {
  return tagged(
    "vramhub/reveal/v1",
    new BcsWriter().fixed(acc, 32).u16(reveal.uid).u64(reveal.commitSeq)
      .fixed(reveal.contentHash, 32).u32(reveal.size).u8(reveal.codec).finish(),
  );
}

/** The fold of all `reveals` in order of arrival. */
export function foldReveals(reveals: readonly Reveal[]): Bytes {
  return reveals.reduce(foldReveal, EMPTY_ACC);
}

/** drand: two rounds of a named chain; or two seeds that the ledger drew after the deadlines. */
export type Randomness =
  | {
    readonly kind: "drand";
    /** The chain's hash, 32 bytes. */
    readonly chainHash: Bytes;
    /** First round strictly after the window's start. */
    readonly assignRound: number;
    /** First round at or after the reveal deadline plus the margin. */
    readonly judgeRound: number;
  }
  | {
    readonly kind: "ledger";
    /** 32 bytes, drawn at the window's start. */
    readonly assignSeed: Bytes;
    /** 32 bytes, drawn after the reveal deadline. */
    readonly judgeSeed: Bytes;
  };

/** Everything that a window's judgement depends on, but for the reveals. */
export interface WindowContext {
  /** Sui's chain identifier, 32 bytes. */
  readonly chainId: Bytes;
  /** The ledger object, 32 bytes. */
  readonly ledgerId: Bytes;
  /** Workload and version of its rules. */
  readonly workload: number;
  /** Version of the workload's rules. */
  readonly version: number;
  /** N. */
  readonly window: number;
  /** {@link hparamsDigest}, 32 bytes. */
  readonly hparamsDigest: Bytes;
  /** 32 bytes. */
  readonly modelHash: Bytes;
  /** Hash of base(N)'s manifest. */
  readonly baseHash: Bytes;
  /** 32 bytes. */
  readonly datasetRoot: Bytes;
  /** Where the window's randomness comes from. */
  readonly randomness: Randomness;
}

/** BCS of a {@link WindowContext}: 251 bytes for drand, 267 for drawn seeds. */
export function encodeContext(context: WindowContext): Bytes {
  const writer = new BcsWriter().fixed(context.chainId, 32).fixed(context.ledgerId, 32)
    .u8(context.workload).u8(context.version).u64(context.window)
    .fixed(context.hparamsDigest, 32).fixed(context.modelHash, 32)
    .fixed(context.baseHash, 32).fixed(context.datasetRoot, 32);
  const r = context.randomness;
  if (r.kind === "drand") {
    writer.u8(0).fixed(r.chainHash, 32).u64(r.assignRound).u64(r.judgeRound);
  } else {
    writer.u8(1).fixed(r.assignSeed, 32).fixed(r.judgeSeed, 32);
  }
  return writer.finish();
}

/** The inverse of {@link encodeContext}; strict. */
export function decodeContext(bytes: Uint8Array): WindowContext {
  const r = new BcsReader(bytes);
  const head = {
    chainId: r.fixed(32),
    ledgerId: r.fixed(32),
    workload: r.u8(),
    version: r.u8(),
    window: r.count(),
    hparamsDigest: r.fixed(32),
    modelHash: r.fixed(32),
    baseHash: r.fixed(32),
    datasetRoot: r.fixed(32),
  };
  const kind = r.u8();
  if (kind > 1) throw new Refusal("bad_context", `Randomness of kind ${kind} is unknown`);
  const randomness: Randomness = kind === 0
    ? { kind: "drand", chainHash: r.fixed(32), assignRound: r.count(), judgeRound: r.count() }
    : { kind: "ledger", assignSeed: r.fixed(32), judgeSeed: r.fixed(32) };
  r.finish();
  return { ...head, randomness };
}

/** `SHA-256("vramhub/window/v1" ‖ BCS(context) ‖ acc)`: one comparison binds every input of a judgement. */
export function windowDigest(context: WindowContext, acc: Uint8Array): Bytes {
  return tagged(
    "vramhub/window/v1",
    encodeContext(context),
    new BcsWriter().fixed(acc, 32).finish(),
  );
}
