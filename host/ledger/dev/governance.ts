/**
 * The calls of governance, from the modules that keep its parts.
 *
 * @module
 */
import type { GovernanceLedger, PrunePart } from "../governance.ts";
import type { Address, Role } from "../ledger.ts";
import { nextCredentialsEpoch, sealApprove, setCredentials } from "./credentials.ts";
import { dataset, register, registerForJob, retire } from "./datasets.ts";
import * as gradients from "./gradients.ts";
import { acceptAdmin, offerAdmin, withdrawAdminOffer } from "./hparams.ts";
import type { Operations } from "./operations.ts";
import { roll, topUpStake } from "./peers.ts";
import * as rounds from "./rounds.ts";
import * as scores from "./scores.ts";
import { MODULE_OF } from "./slots.ts";
import type { State } from "./state.ts";

function sweepTreasury(state: State, sender: Address, role: Role): bigint {
  state.assertAdmin(sender);
  const amount = state.takeTotal(`treasury/${role}`);
  state.credit(sender, "sui", amount);
  state.emit(`${MODULE_OF[role]}::TreasurySwept`, { amount });
  return amount;
}

/** The parts in the order in which they may go: a window's own row last. */
const PRUNE: Readonly<Record<PrunePart, (state: State, window: number) => void>> = {
  gradients: gradients.prune,
  scores: scores.prune,
  rounds: rounds.prune,
};

function prune(state: State, _sender: Address, window: number, part?: PrunePart): void {
  if (part !== undefined) return PRUNE[part](state, window);
  if (gradients.hasCommits(state, window)) gradients.prune(state, window);
  scores.prune(state, window);
  rounds.prune(state, window);
}

/** The calls of {@link GovernanceLedger}; what shows a slot stands with the other reads of slots. */
export const GOVERNANCE_CALLS: Operations<Omit<GovernanceLedger, "credentials">> = {
  offerAdmin,
  withdrawAdminOffer,
  acceptAdmin,
  registerDataset: register,
  registerJobDataset: registerForJob,
  retireDataset: retire,
  dataset,
  sweepTreasury,
  treasury: (state, role) => state.total(`treasury/${role}`),
  topUpStake,
  setCredentials,
  nextCredentialsEpoch,
  sealApprove,
  drawSeeds: (state, _sender, window) => rounds.drawSeeds(state, window),
  roll: (state) => roll(state),
  prune,
};
