/**
 * What traces are about. Without a story most operations would come too early or too late: a trace follows one, leaves
 * out a part of it now and then, and does something else between.
 *
 * @module
 */
import type { OperationName } from "./operations.ts";

/** What a trace is about. */
export interface Profile {
  /** Operations in an order in which they mostly succeed; one of these is followed. */
  readonly stories: readonly (readonly OperationName[])[];
  /** What is done between, and how often. */
  readonly others: Partial<Record<OperationName, number>>;
}

/** A window that is judged, from its commits to its outcomes. */
const DAY: readonly OperationName[] = [
  "to commits",
  "commit",
  "to reveals",
  "reveal",
  "next",
  "report",
  "to outcomes",
  "settle",
  "settle",
  "outcome",
];
/** The same where the ledger draws the seeds. */
const DRAWN: readonly OperationName[] = [
  "drawSeeds",
  ...DAY.slice(0, 5),
  "drawSeeds",
  ...DAY.slice(5),
];
const JOB: readonly OperationName[] = ["postJob", "claimJob", "completeJob"];

/** All of them. */
export const PROFILES: readonly Profile[] = [
  {
    stories: [
      ["attest", ...DAY, "claim", "claim", "claimTreasury"],
      ["attest", ...DAY, ...DAY, "claim", "depositRewards", "close"],
      ["attest", "drawSeeds", ...DRAWN, ...DRAWN, "claim"],
      ["attest", ...DAY, "leap", "roll", "prune", "prune"],
      ["attest", ...DAY, ...DAY, ...DAY, "claimTreasury", "claim", "claim", "burn"],
      [...DAY.slice(0, 5), "attest", ...DAY.slice(5), "slash", "next", "withdraw"],
    ],
    others: {
      attest: 3,
      commit: 2,
      reveal: 2,
      report: 2,
      outcome: 2,
      settle: 2,
      close: 2,
      claim: 1,
      claimTreasury: 1,
      slash: 2,
      prune: 1,
      wait: 2,
      registerMiner: 1,
      unregister: 1,
      topUpStake: 1,
      burn: 1,
      setHparams: 1,
      removeMeasurement: 1,
    },
  },
  {
    stories: [
      [
        "setCredentials",
        "setCredentials",
        "sealApprove",
        "sealApprove",
        "sealApprove",
        "next",
        "sealApprove",
        "roll",
        "sealApprove",
      ],
      ["registerMiner", "registerMiner", "next", "roll", "registerMiner", "unregister", "next"],
      ["unregister", "unregister", "next", "roll", "leap", "withdraw", "withdraw", "roll"],
      ["registerValidator", "next", "registerValidator", "attest", "slash", "unregister", "next"],
      ["commit", "next", "roll", "sweepTreasury", "topUpStake", "unregister", "next", "withdraw"],
    ],
    others: {
      registerMiner: 6,
      registerValidator: 6,
      unregister: 4,
      withdraw: 5,
      topUpStake: 2,
      sweepTreasury: 2,
      next: 4,
      leap: 2,
      setCredentials: 2,
      sealApprove: 3,
      slash: 1,
      attest: 1,
      commit: 1,
      roll: 2,
      setHparams: 1,
    },
  },
  {
    stories: [
      [
        "attest",
        ...JOB,
        "disputeJob",
        "resolveDispute",
        "resolveDispute",
        "resolveDispute",
        "sweepJobFees",
        "months",
        "pruneJob",
      ],
      [...JOB, "hours", "settleJob", "sweepJobFees", "setJobTerms", ...JOB],
      [
        ...JOB,
        "disputeJob",
        "resolveDispute",
        "attest",
        "resolveDispute",
        "hours",
        "expireDispute",
        "hours",
      ],
      ["setJobTerms", "postJob", "claimJob", "releaseJob", "postJob", "cancelJob", "hours"],
      [...JOB, "disputeJob", "days", "expireDispute", "sweepJobFees"],
      ["postJob", "claimJob", "postJob", "days", "refundJob", "refundJob"],
      ["registerJobDataset", "quoteJob", ...JOB, "retireDataset", "dearJob"],
    ],
    others: {
      quoteJob: 1,
      postJob: 3,
      claimJob: 3,
      completeJob: 3,
      settleJob: 3,
      cancelJob: 1,
      refundJob: 2,
      releaseJob: 1,
      disputeJob: 2,
      resolveDispute: 4,
      expireDispute: 2,
      pruneJob: 2,
      setJobTerms: 1,
      sweepJobFees: 1,
      hours: 2,
      attest: 2,
      registerJobDataset: 1,
      retireDataset: 1,
    },
  },
  {
    stories: [
      ["generateTokens", "claimAirdrop", "months", "months", "claimVested", "sweepAirdrop"],
      ["generateTokens", "offerVesting", "acceptVesting", "months", "claimVested", "claimVested"],
      ["generateTokens", "claimAirdrop", "burn", "depositRewards", "registerValidator", "next"],
      ["generateTokens", "emptyAirdrop", "months", "sweepAirdrop"],
      ["generateTokens", "months", "sweepAirdrop", "sweepAirdrop", "claimAirdrop"],
    ],
    others: {
      generateTokens: 2,
      claimVested: 4,
      offerVesting: 3,
      acceptVesting: 3,
      claimAirdrop: 4,
      sweepAirdrop: 2,
      burn: 1,
      depositRewards: 1,
      months: 1,
      registerValidator: 2,
    },
  },
  {
    stories: [
      ["generateTokens", "createPool", "stake", "depositPoolRewards", "days", "claimPoolRewards"],
      ["generateTokens", "createPool", "createPool", "stake", "stake", "hours", "unstake"],
      [
        "generateTokens",
        "createPool",
        "claimAirdrop",
        "stake",
        "stake",
        "depositPoolRewards",
        "hours",
        "unstake",
        "months",
        "unstake",
        "claimPoolRewards",
      ],
    ],
    others: {
      createPool: 1,
      stake: 5,
      depositPoolRewards: 4,
      claimPoolRewards: 4,
      unstake: 3,
      hours: 2,
      days: 1,
      claimAirdrop: 1,
    },
  },
  {
    stories: [
      ["offerAdmin", "acceptAdmin", "setHparams", "next", "setHparams"],
      ["offerAdmin", "withdrawAdminOffer", "approveMeasurement", "leap", "attest"],
      ["approveMeasurement", "removeMeasurement", "approveMeasurement", "leap", "attest"],
      ["setHparams", "next", "setHparams", "next", "roll", "next", "approveMeasurement"],
      ["registerDataset", "registerJobDataset", "retireDataset", "registerDataset"],
      ["setHparams", "next", ...DAY],
    ],
    others: {
      offerAdmin: 2,
      withdrawAdminOffer: 1,
      acceptAdmin: 2,
      registerDataset: 2,
      registerJobDataset: 2,
      retireDataset: 3,
      approveMeasurement: 3,
      removeMeasurement: 2,
      setHparams: 3,
      next: 3,
      attest: 3,
      sweepTreasury: 1,
      roll: 2,
      setJobTerms: 1,
    },
  },
];
