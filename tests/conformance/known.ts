/**
 * The one table of what differs between the dev ledger and the contracts on purpose, each with its reason. Everything
 * else must agree.
 *
 * @module
 */

/** What traces treat as the same although it is not, or leave out. */
export const KNOWN: readonly { readonly what: string; readonly why: string }[] = [
  {
    what: "founding",
    why: "one step in the dev ledger; on the chain founders register, then `round_state::found` " +
      "is called, and they sit from the first roll on: every trace begins with a roll",
  },
  {
    what: "the ledger's id, the treasury's, those of pools, tickets and vestings",
    why:
      "ids of objects on the chain, hashes of a counter in the dev ledger: the first is set in " +
      "the player, leaves of the airdrop are made with each side's own, others go by number",
  },
  {
    what: "who is the admin",
    why: "the sender in the dev ledger, the holder of the capability on the chain: a call of " +
      "anybody else cannot be made there, and is refused with ENotAdmin in the dev ledger alone",
  },
  {
    what: "coins",
    why: "the dev ledger takes what is due of the sender's balance; on the chain coins are " +
      "arguments: the stake, and for fees, bonds and prices all else that the sender has",
  },
  {
    what: "the sender's balance is below a stake, a deposit or a ticket",
    why: "no such coin can be an argument: traces fund the sender first",
  },
  {
    what: "objects that do not exist or are another's",
    why:
      "the dev ledger says `unknown_object`, which is no refusal of a module: on the chain the " +
      "call cannot be built",
  },
  {
    what: "attestation documents",
    why:
      "the dev ledger verifies a document under a SIMULATED root, the VM of the tests is given " +
      "what Sui's verifier would make of it: key, user data, time and PCRs are the same",
  },
  {
    what: "a document with two faults",
    why: "the dev ledger has its chain verified first, so that it names another fault of two: " +
      "traces make one at a time",
  },
  {
    what: "seeds drawn on the ledger",
    why: "both draw at random: the chain's draw is made, then replaced with the dev ledger's",
  },
  {
    what: "views",
    why: "the dev ledger's roll by default; here they do not (`readsRoll: false`)",
  },
  {
    what: "withdraw without a role, prune without a part",
    why: "several functions of the chain in one call: traces make each by itself",
  },
];

/** Constants that no trace can bring about, and why. */
export const UNREACHABLE: Readonly<Record<string, string>> = {
  "hparams::ENotFounded": "founding is one step in the dev ledger",
  "enclave_registry::EAlreadyFounded": "builds of the founding are part of that step",
  "round_state::EAlreadyFounded": "the dev ledger's founding is no call of the interface",
  "round_state::EBadLength": "an argument of the founding",
  "score_ledger::EPreviousOpen":
    "the roll before a report of N has ended N-1: in N+1 all of its deadlines are over",
  "dataset_registry::EBadDraw": "views alone: the judge assigns the pages",
  "vram_token::EMiningCap": "the pay policy issues no more than the mining allocation",
  "vram_token::ESupplyCap": "the allocations sum to the cap",
};

/** Constants that the dev ledger alone refuses with: see "who is the admin". */
export const DEV_ONLY: readonly string[] = ["enclave_registry::ENotAdmin"];

/** Methods of the dev ledger that change nothing. */
export const READS: readonly string[] = [
  "airdrop",
  "attestation",
  "balance",
  "credentials",
  "dataset",
  "enclave",
  "issued",
  "job",
  "jobBoard",
  "jobs",
  "measurements",
  "messages",
  "miners",
  "nextCredentialsEpoch",
  "owed",
  "pools",
  "supply",
  "tickets",
  "treasury",
  "validators",
  "vestings",
  "window",
  "windows",
];
