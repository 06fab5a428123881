/**
 * What happens in a run, as plain JSON-safe values: the one language between the commands and every way of showing
 * them. Losses and scores are nats, VRAM amounts are decimal strings of base units (10^-9 VRAM), hashes lower-case hex.
 *
 * @module
 */
import type { SettledName } from "../../../enclave/protocol/verdict.ts";

/** The parts of a window, in order. */
export type Phase = "train" | "reveal" | "judge" | "report" | "settle" | "outcome";

/** How loud a log line is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** The network came up. */
export interface NetworkEvent {
  /** Which event this is. */
  event: "network";
  /** Only test mode exists: a local judge under a local root. */
  simulated: true;
  /** Where ledger, store and keys are. */
  dataDir: string;
  /** The model's name. */
  model: string;
  /** Its number of parameters. */
  params: number;
  /** Length of a window in milliseconds. */
  windowMs: number;
  /** Which ledger settles. */
  ledger: "dev";
  /** Where the judge runs. */
  judge: string;
  /** Measurements of the judge by PCR index, hex. */
  pcrs: Record<string, string>;
}

/** A step before the network is up. */
export interface SetupEvent {
  /** Which event this is. */
  event: "setup";
  /** What is being done, for people. */
  detail: string;
}

/** A window's phase goes on. */
export interface PhaseEvent {
  /** Which event this is. */
  event: "phase";
  /** The window that the work is for. */
  window: number;
  /** What is being done. */
  phase: Phase;
  /** How much of it is done, 0 to 1. */
  progress: number;
  /** What exactly, for people. */
  detail: string;
}

/** A log line. */
export interface LogEvent {
  /** Which event this is. */
  event: "log";
  /** How loud. */
  level: LogLevel;
  /** The part that speaks, e.g. `vramhub_miner`. */
  target: string;
  /** What happened, without its values. */
  message: string;
  /** Its values, in order. */
  fields: Record<string, string | number | boolean>;
}

/** A judge's attestation document was checked. */
export interface AttestationEvent {
  /** Which event this is. */
  event: "attestation";
  /** The judge's Ed25519 key, hex. */
  keyHex: string;
  /** Name of the approved measurement that it matched. */
  measurement: string;
  /** The root that the document chains to. */
  root: "aws" | "simulated";
  /** Whether every check passed. */
  verified: boolean;
}

/** One miner's row of a settled window. */
export interface SettledRow {
  /** The miner's slot. */
  uid: number;
  /** What the miner was started as, where that is known. */
  role?: string;
  /** The settled verdict, or `no_reveal` where nothing was revealed. */
  verdict: SettledName | "no_reveal";
  /** Loss on its own pages before the update, or null where unmeasured. */
  ownBefore: number | null;
  /** Loss on its own pages after the update. */
  ownAfter: number | null;
  /** Loss on random pages before the update. */
  randomBefore: number | null;
  /** Loss on random pages after the update. */
  randomAfter: number | null;
  /** `randomBefore − randomAfter`. */
  score: number | null;
  /** Mean of the skill rating. */
  mu: number;
  /** Uncertainty of the skill rating. */
  sigma: number;
  /** The weight that pay is divided by; only its share means anything. */
  weight: number;
  /** What the window pays it. */
  reward: string;
  /** Whom it pays. */
  owner: string;
}

/** One validator's row of a settled window. */
export interface ValidatorRow {
  /** The validator's slot. */
  uid: number;
  /** What it was started as, where that is not an honest validator. */
  role?: string;
  /** Whether its report counted. */
  counted: boolean;
  /** Why not, or null. */
  reason: string | null;
  /** What the window pays it. */
  reward: string;
}

/** A window was settled. */
export interface SettledEvent {
  /** Which event this is. */
  event: "settled";
  /** The window. */
  window: number;
  /** One row a miner, by uid. */
  rows: SettledRow[];
  /** One row a validator, by uid. */
  validators: ValidatorRow[];
  /** What the window issued in all. */
  issued: string;
  /** Hash of the base after it, hex. */
  baseHash: string;
  /** Whether the merge became the base: only where held-out pages say that it is better. */
  baseMoved: boolean;
  /** Loss of the base before the merge on the beacon's pages, or null where nothing was merged. */
  currentLoss: number | null;
  /** Loss after the merge. */
  mergedLoss: number | null;
}

/** A window was skipped: nothing moves, nothing is paid. */
export interface SkippedEvent {
  /** Which event this is. */
  event: "skipped";
  /** The window. */
  window: number;
  /** Why. */
  reason: string;
}

/** A base was measured on held-out pages, which no miner trains on. */
export interface HeldoutEvent {
  /** Which event this is. */
  event: "heldout";
  /** The window whose base was measured. */
  atWindow: number;
  /** Its loss. */
  loss: number;
  /** Its hash, hex. */
  baseHash: string;
}

/** What one miner earned in a run. */
export interface PaidRow {
  /** The miner's slot. */
  uid: number;
  /** What it was started as. */
  role: string;
  /** What it was paid in all. */
  total: string;
}

/** The run ended. */
export interface DoneEvent {
  /** Which event this is. */
  event: "done";
  /** Windows that were settled. */
  windows: number;
  /** Held-out loss of the first base. */
  heldoutStart: number;
  /** Held-out loss of the last base. */
  heldoutEnd: number;
  /** One row a miner, by uid. */
  paid: PaidRow[];
}

/** Anything that happens in a run. */
export type RunEvent =
  | NetworkEvent
  | SetupEvent
  | PhaseEvent
  | LogEvent
  | AttestationEvent
  | SettledEvent
  | SkippedEvent
  | HeldoutEvent
  | DoneEvent;

/** Shows a run's events as they happen. */
export interface Presenter {
  /** Show `event`. */
  show(event: RunEvent): void;
  /** Leave the terminal as it was found. */
  close(): void;
}
