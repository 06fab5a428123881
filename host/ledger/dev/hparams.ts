/**
 * `hparams`: hyperparameters and the calendar that they make, and the admin's capability in its two steps.
 *
 * @module
 */
import { type Dataset, trainingPages } from "../../../enclave/protocol/dataset.ts";
import { LedgerError, requireThat } from "../../../enclave/protocol/errors.ts";
import {
  checkHparams,
  type Hparams,
  hparamsDigest,
  share,
} from "../../../enclave/protocol/hparams.ts";
import { Refusal } from "../../../enclave/protocol/refusal.ts";
import { windowStart } from "../../../enclave/protocol/window.ts";
import type { Address } from "../ledger.ts";
import type { State } from "./state.ts";

const MODULE = "hparams";
/** Four epochs rule all unfinished windows; the others are kept for readers. */
const MAX_EPOCHS = 64;

interface Pending {
  effective: number;
  hparams: Hparams;
}

function pendingOf(state: State): Pending | undefined {
  const pending = state.meta("pending_hparams");
  return pending === undefined ? undefined : JSON.parse(pending);
}

/** Change hparams from the next window on; another length opens a new epoch at that boundary. */
export function setHparams(state: State, sender: Address, hparams: Hparams): void {
  state.assertAdmin(sender);
  valid(() => checkHparams(hparams));
  const window = state.window();
  const effective = window + 1;
  const pending = pendingOf(state);
  requireThat(
    pending === undefined || pending.effective > window,
    MODULE,
    "ENotRolled",
    `hparams of window ${pending?.effective} are not rotated in yet: roll first`,
  );
  const { beacon, dataset } = state.info();
  valid(() => checkHparams(hparams, beacon.periodMs));
  const lacking = lackingPages(hparams, dataset);
  requireThat(lacking === null, MODULE, "EInvalidValue", lacking ?? "");
  // The running window is judged in the next one, whose length is what changes here.
  const now = state.current();
  const judging = now.window_ms - share(now.window_ms, now.reveal_bps) +
    share(hparams.window_ms, now.report_bps);
  const needed = now.beacon_margin_ms + beacon.periodMs + now.min_judge_ms;
  requireThat(
    judging >= needed,
    MODULE,
    "EInvalidValue",
    `window ${window} would be judged in ${judging} ms and needs ${needed} ms`,
  );
  state.run("delete from epochs where first_window >= ?", effective);
  const epochs = state.epochs();
  if (epochs.at(-1)!.windowMs !== hparams.window_ms) {
    if (epochs.length === MAX_EPOCHS) {
      state.run("delete from epochs where first_window = ?", epochs[0]!.firstWindow);
    }
    state.run(
      "insert into epochs values (?, ?, ?)",
      effective,
      windowStart(epochs, effective),
      hparams.window_ms,
    );
  }
  state.setMeta("pending_hparams", JSON.stringify({ effective, hparams }));
  state.emit("hparams::HparamsChanged", { effective, digest: hparamsDigest(hparams) });
}

function valid(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof Refusal) throw new LedgerError(MODULE, "EInvalidValue", error.message);
    throw error;
  }
}

/** Why a data set has too few pages for `hparams`, or null where it has enough. */
export function lackingPages(hparams: Hparams, dataset: Dataset): string | null {
  const training = trainingPages(dataset.pageCount);
  const heldOut = dataset.pageCount - training;
  const { own_pages, random_pages, heldout_pages } = hparams;
  if (training >= Math.max(own_pages, random_pages) && heldOut >= heldout_pages) return null;
  return `${dataset.pageCount} pages are too few to train on ${own_pages}, measure on ${random_pages} and hold out ${heldout_pages}`;
}

/** The hparams that rule `window`, which begins to run now: rotates in what was pending. */
export function hparamsAt(state: State, window: number): Hparams {
  const pending = pendingOf(state);
  const current = state.current();
  if (pending === undefined || pending.effective > window) return current;
  const { hparams } = pending;
  // What is approved meanwhile still waits for the longer period.
  if (hparams.unbonding_ms < current.unbonding_ms) {
    const until = state.nowMs + current.unbonding_ms;
    state.setMeta("unbonding_until", Math.max(until, unbondingUntil(state)));
  }
  state.setMeta("hparams", JSON.stringify(hparams));
  state.run("delete from meta where key = 'pending_hparams'");
  return hparams;
}

/** Until when a longer unbonding period, in force before, still holds approvals back. */
function unbondingUntil(state: State): number {
  return Number(state.meta("unbonding_until") ?? "0");
}

/**
 * When a build that is approved now becomes active: after the unbonding period, the pending one if that is
 * longer, and not before a longer one that was in force is over. To shorten the period first gains nothing.
 */
export function approvalTime(state: State): number {
  const next = pendingOf(state)?.hparams.unbonding_ms ?? 0;
  const wait = Math.max(state.current().unbonding_ms, next);
  return Math.max(state.nowMs + wait, unbondingUntil(state));
}

/** Offer the admin's capability: until it is accepted or taken back nobody has it. */
export function offerAdmin(state: State, sender: Address, to: Address): void {
  state.assertAdmin(sender);
  state.setMeta("admin_offer", to);
  state.emit("hparams::AdminOffered", { from: sender, to });
}

/** Take the capability that was offered to `sender`. */
export function acceptAdmin(state: State, sender: Address): void {
  const { from, to } = takeOffer(state);
  requireThat(sender === to, MODULE, "ENotAdmin", `the capability is offered to ${to}`);
  state.setMeta("admin", to);
  state.emit("hparams::AdminAccepted", { from, to });
}

/** Take back the capability that `sender` offered. */
export function withdrawAdminOffer(state: State, sender: Address): void {
  const { from, to } = takeOffer(state);
  requireThat(sender === from, MODULE, "ENotAdmin", `the capability was offered by ${from}`);
  state.emit("hparams::AdminOfferWithdrawn", { from, to });
}

function takeOffer(state: State): { from: Address; to: Address } {
  const to = state.meta("admin_offer");
  requireThat(to !== undefined, MODULE, "ENoOffer", "the admin's capability is not on offer");
  state.run("delete from meta where key = 'admin_offer'");
  return { from: state.info().admin, to };
}
