/**
 * `gradient_registry`: commit before anybody can see, reveal when nobody can copy any more.
 *
 * @module
 */
import type { Bytes } from "../../../enclave/protocol/bytes.ts";
import { equal } from "../../../enclave/protocol/bytes.ts";
import {
  commitment as commitmentOf,
  foldReveal,
  type Reveal,
} from "../../../enclave/protocol/commit.ts";
import { requireThat } from "../../../enclave/protocol/errors.ts";
import { isCodec } from "../../../enclave/protocol/gradient/mod.ts";
import type { Address } from "../ledger.ts";
import { assertOwner, noteCommit, noteReveal, roll } from "./peers.ts";
import { isPrunable } from "./rounds.ts";
import { blob, type State } from "./state.ts";

const MODULE = "gradient_registry";
const REF = /^[\x21-\x7e]{1,256}$/;

/** Commit; returns the commit's number on this ledger. */
export function commit(
  state: State,
  sender: Address,
  uid: number,
  window: number,
  commitment: Bytes,
): number {
  roll(state);
  requireThat(
    window === state.window(),
    MODULE,
    "EWrongWindow",
    `window ${window} is not the running one, ${state.window()}`,
  );
  const { commit: deadline } = state.deadlines(window);
  requireThat(state.nowMs < deadline, MODULE, "ECommitsClosed", `commits ended at ${deadline}`);
  const slot = assertOwner(state, uid, sender);
  // The fee of a commit that is never revealed is taken from the stake: it must be there to take.
  const fee = state.hparams(window).unrevealed_fee;
  requireThat(
    BigInt(slot.stake as string) >= BigInt(fee),
    "peer_registry",
    "EInsufficientStake",
    `miner ${uid} has ${slot.stake} MIST at stake, the fee of an unrevealed commit is ${fee}`,
  );
  requireThat(commitment.length === 32, MODULE, "EBadCommitment", "a commitment is 32 bytes");
  const earlier = state.get("select 1 from commits where window = ? and uid = ?", window, uid);
  requireThat(
    earlier === undefined,
    MODULE,
    "EAlreadyCommitted",
    `miner ${uid} has committed in window ${window}`,
  );
  const seq = Number(state.meta("commit_seq") ?? "0");
  state.setMeta("commit_seq", seq + 1);
  state.run(
    "insert into commits values (?, ?, ?, ?, ?, ?)",
    window,
    uid,
    slot.generation as number,
    sender,
    seq,
    commitment,
  );
  noteCommit(state, uid, window, fee);
  state.emit("gradient_registry::GradientCommitted", { window, uid, seq, commitment });
  return seq;
}

/** Reveal what was committed, and fold it into the window's accumulator. */
export function reveal(
  state: State,
  sender: Address,
  uid: number,
  window: number,
  gradient: Pick<Reveal, "contentHash" | "size" | "codec">,
  salt: Bytes,
  ref: string,
): void {
  roll(state);
  requireThat(
    window === state.window(),
    MODULE,
    "EWrongWindow",
    `window ${window} is not the running one, ${state.window()}`,
  );
  const { commit: opens, reveal: deadline } = state.deadlines(window);
  requireThat(state.nowMs >= opens, MODULE, "ERevealsNotOpen", `reveals begin at ${opens}`);
  requireThat(state.nowMs < deadline, MODULE, "ERevealsClosed", `reveals ended at ${deadline}`);
  const row = state.get("select * from commits where window = ? and uid = ?", window, uid);
  requireThat(
    row !== undefined,
    MODULE,
    "ENotCommitted",
    `miner ${uid} has not committed in window ${window}`,
  );
  assertOwner(state, uid, sender);
  const earlier = state.get("select 1 from reveals where window = ? and uid = ?", window, uid);
  requireThat(earlier === undefined, MODULE, "EAlreadyRevealed", `miner ${uid} has revealed`);
  const { contentHash, size, codec } = gradient;
  const most = state.hparams(window).max_gradient_bytes;
  requireThat(
    Number.isInteger(size) && size > 0 && size <= most,
    MODULE,
    "EBadSize",
    `a gradient is 1..${most} bytes, this one ${size}`,
  );
  requireThat(isCodec(codec), MODULE, "EBadCodec", `codec ${codec} is unknown`);
  requireThat(REF.test(ref), MODULE, "EBadRef", "a ref is 1..256 printable ASCII characters");
  requireThat(
    contentHash.length === 32 && salt.length === 32 &&
      equal(
        commitmentOf(state.info().ledgerId, uid, window, contentHash, salt),
        blob(row.commitment),
      ),
    MODULE,
    "ECommitmentMismatch",
    "the reveal is not what was committed",
  );
  const commitSeq = row.seq as number;
  const acc = foldReveal(blob(state.windowRow(window).acc), {
    uid,
    commitSeq,
    contentHash,
    size,
    codec,
  });
  const position = state.get("select count(*) as n from reveals where window = ?", window)!.n;
  state.run(
    "insert into reveals values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    window,
    position as number,
    uid,
    row.generation as number,
    sender,
    commitSeq,
    contentHash,
    size,
    codec,
    ref,
  );
  state.run("update windows set acc = ? where window = ?", acc, window);
  noteReveal(state, uid);
  state.emit("gradient_registry::GradientRevealed", {
    window,
    uid,
    commitSeq,
    contentHash,
    size,
    codec,
    ref,
  });
}

/** Whether anybody committed in `window`, and it is not forgotten. */
export function hasCommits(state: State, window: number): boolean {
  return state.get("select 1 from commits where window = ? limit 1", window) !== undefined;
}

/** Remove the commits and reveals of a window that is over and past its retention. */
export function prune(state: State, window: number): void {
  const known = hasCommits(state, window);
  requireThat(known, MODULE, "EUnknownWindow", `window ${window} has no commits`);
  requireThat(isPrunable(state, window), MODULE, "ETooYoung", `window ${window} is still kept`);
  state.run("delete from commits where window = ?", window);
  state.run("delete from reveals where window = ?", window);
  state.emit("gradient_registry::SubmissionsPruned", { window });
}
