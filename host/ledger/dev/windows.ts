/**
 * The calls of slots, windows, judges and rewards, from the modules that keep them.
 *
 * @module
 */
import type { Address, Ledger, Role } from "../ledger.ts";
import { credentials } from "./credentials.ts";
import * as enclaves from "./enclaves.ts";
import * as gradients from "./gradients.ts";
import { setHparams } from "./hparams.ts";
import type { Operations } from "./operations.ts";
import * as peers from "./peers.ts";
import { claim } from "./rewards.ts";
import * as rounds from "./rounds.ts";
import * as scores from "./scores.ts";
import { slash } from "./slashing.ts";
import { hasDue } from "./slots.ts";
import type { State } from "./state.ts";
import { windowSummaries } from "./summaries.ts";
import * as validators from "./validators.ts";
import * as views from "./views.ts";

const REGISTRY = { miner: peers, validator: validators } as const;

/** Of both roles where none is named: whatever is due, and the miners' refusal where nothing is. */
function withdraw(state: State, sender: Address, role?: Role): bigint {
  if (role !== undefined) return REGISTRY[role].withdraw(state, sender);
  peers.roll(state);
  const roles = (["validator", "miner"] as const).filter((of) => hasDue(state, of, sender));
  if (roles.length === 0) return peers.withdraw(state, sender);
  return roles.reduce((sum, of) => sum + REGISTRY[of].withdraw(state, sender), 0n);
}

/** What changes the ledger. */
export type WindowCalls = Pick<
  Ledger,
  | "registerMiner"
  | "registerValidator"
  | "unregister"
  | "withdraw"
  | "setHparams"
  | "approveMeasurement"
  | "removeMeasurement"
  | "commit"
  | "reveal"
  | "submitReport"
  | "settle"
  | "submitOutcome"
  | "close"
  | "slash"
  | "claim"
>;

/** See {@link WindowCalls}. */
export const WINDOW_CALLS: Operations<WindowCalls> = {
  registerMiner: peers.register,
  registerValidator: validators.register,
  unregister: (state, sender, role, uid) => REGISTRY[role].unregister(state, sender, uid),
  withdraw,
  setHparams,
  approveMeasurement: enclaves.approveMeasurement,
  removeMeasurement: enclaves.removeMeasurement,
  commit: gradients.commit,
  reveal: gradients.reveal,
  submitReport: scores.submitReport,
  settle: scores.settle,
  submitOutcome: scores.submitOutcome,
  close: rounds.close,
  slash,
  claim,
};

/** What shows the ledger as it is in the running window. */
export type WindowReads = Pick<
  Ledger,
  | "credentials"
  | "window"
  | "windows"
  | "miners"
  | "validators"
  | "enclave"
  | "attestation"
  | "messages"
  | "measurements"
  | "balance"
  | "issued"
>;

/** See {@link WindowReads}. */
export const WINDOW_READS: Operations<WindowReads> = {
  credentials,
  window: views.windowView,
  windows: windowSummaries,
  miners: views.miners,
  validators: views.validators,
  enclave: enclaves.enclaveOf,
  attestation: enclaves.attestationOf,
  messages: views.messages,
  measurements: enclaves.measurements,
  balance: (state, address) => state.account(address),
  issued: (state) => state.total("issued"),
};
