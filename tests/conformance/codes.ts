/**
 * Every step of a trace and its code, as `conformance_play.move` has them: calls below 70, looks from there on. A call is
 * named after its method of the ledger; a part of one that is a function of its own in Move has a suffix.
 *
 * @module
 */

/** Codes of calls. */
export const CALLS = {
  time: 0,
  faucet: 1,
  roll: 2,
  registerMiner: 3,
  registerValidator: 4,
  unregister: 5,
  withdraw: 6,
  topUpStake: 7,
  setHparams: 8,
  approveMeasurement: 9,
  removeMeasurement: 10,
  commit: 11,
  reveal: 12,
  registerEnclave: 13,
  submitReport: 14,
  settle: 15,
  submitOutcome: 16,
  close: 17,
  slash: 18,
  claim: 19,
  claimTreasury: 20,
  depositRewards: 21,
  burn: 22,
  quoteJob: 23,
  postJob: 24,
  claimJob: 25,
  completeJob: 26,
  settleJob: 27,
  cancelJob: 28,
  refundJob: 29,
  releaseJob: 30,
  disputeJob: 31,
  resolveDispute: 32,
  expireDispute: 33,
  pruneJob: 34,
  setJobTerms: 35,
  sweepJobFees: 36,
  generateTokens: 37,
  claimVested: 38,
  offerVesting: 39,
  acceptVesting: 40,
  claimAirdrop: 41,
  sweepAirdrop: 42,
  createPool: 43,
  depositPoolRewards: 44,
  stake: 45,
  claimPoolRewards: 46,
  unstake: 47,
  offerAdmin: 48,
  withdrawAdminOffer: 49,
  acceptAdmin: 50,
  registerDataset: 51,
  registerJobDataset: 52,
  retireDataset: 53,
  sweepTreasury: 54,
  setCredentials: 55,
  sealApprove: 56,
  drawSeeds: 57,
  "prune gradients": 58,
  "prune scores": 59,
  "prune rounds": 60,
} as const;

/** Codes of what is looked at. */
export const LOOKS = {
  "look at the world": 70,
  "look at miners": 71,
  "look at validators": 72,
  "look at a window": 73,
  "look at balances": 74,
  "look at an enclave": 75,
  "look at a job": 76,
  "look at a pool": 77,
  "look at a ticket": 78,
  "look at a vesting": 79,
  "look at the airdrop": 80,
  "look at a data set": 81,
  "look at credentials": 82,
  "look at builds": 83,
} as const;

/** All of them. */
export const CODES = { ...CALLS, ...LOOKS } as const;

/** A step's name. */
export type StepName = keyof typeof CODES;
