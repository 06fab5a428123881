/**
 * What a miner of jobs works with, and the little that its parts share.
 *
 * @module
 */
import type { ModelConfig } from "../../enclave/model/presets.ts";
import type { Bytes } from "../../enclave/protocol/bytes.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import type { Clock } from "../../host/ledger/clock.ts";
import type { JobRow } from "../../host/ledger/jobs.ts";
import type { Address, Ledger } from "../../host/ledger/ledger.ts";
import type { Log } from "../../host/ledger/log.ts";
import type { JobWeights, ReadObject } from "../../host/store/job_weights.ts";
import type { PageSource } from "../../host/store/pages.ts";
import type { Store } from "../../host/store/store.ts";
import type { TrainingFrameworkAdapter } from "../adapters/adapter.ts";
import type { HeldOutLoss } from "./held_out.ts";

/** Who speaks in log lines. */
export const TARGET = "vramhub_miner::job";

/** What trains: weights in, an update out. */
export type JobTrainer = Pick<TrainingFrameworkAdapter, "loadCheckpoint" | "name" | "trainStep">;

/** What a miner of jobs works with. */
export interface JobMinerParts {
  /** The ledger. */
  readonly ledger: Ledger;
  /** Where results are put. */
  readonly store: Store;
  /** Reads bases. */
  readonly read: ReadObject;
  /** The data set with this root. */
  readonly data: (root: Bytes) => Promise<PageSource>;
  /** The network's model. */
  readonly model: ModelConfig;
  /** A trainer of `model` whose `trainStep` takes `steps` optimiser steps. */
  readonly trainer: (model: ModelConfig, steps: number) => Promise<JobTrainer & AsyncDisposable>;
  /** Who claims, and is paid. */
  readonly owner: Address;
  /** The slot. */
  readonly uid: number;
  /** Folder for the weights between two starts. */
  readonly dir: string;
  /** Time. */
  readonly clock: Clock;
  /** Log lines. */
  readonly log: Log;
}

/** A job that can be worked on. */
export interface Prepared {
  /** Its base. */
  readonly base: JobWeights;
  /** The base's weights. */
  readonly theta: Float32Array<ArrayBuffer>;
  /** Its data. */
  readonly pages: PageSource;
  /** The judge's measure. */
  readonly held: HeldOutLoss;
}

/** How far a job was brought: delivered and not paid yet, disputed, paid now, or over before. */
export type JobEnd = "delivered" | "disputed" | "paid" | "over";

/** Before the deadline this much is left for the delivery: a twentieth of the job's time, 1 to 15 minutes. */
const [LEAST_MARGIN_MS, MOST_MARGIN_MS] = [60_000, 900_000];

/** Until when a job is trained. */
export function lastMoment({ deadlineMs, postedMs }: JobRow): number {
  const share = (deadlineMs - postedMs) / 20;
  return deadlineMs - Math.min(MOST_MARGIN_MS, Math.max(LEAST_MARGIN_MS, share));
}

/** What to do about a job that cannot be delivered any more. */
export function giveBack({ id }: JobRow): string {
  return `Before its deadline 'deno task vramhub job release ${id}' gives it back, for the bond`;
}

/** Where other jobs are. */
export const SEE_OPEN =
  "'deno task vramhub job list --status open' lists those that can be claimed";

/** The job is somebody else's, or not to be had. */
export function taken({ id, miner, status }: JobRow): Refusal {
  const whose = miner === null ? `it is ${status}` : `it is ${status}, by miner ${miner.uid}`;
  return new Refusal("wrong_state", `Cannot work on job ${id}: ${whose}. ${SEE_OPEN}`);
}

/** A moment for people. */
export const iso = (ms: number): string => new Date(ms).toISOString();

/** MIST for people. */
export const sui = (mist: bigint): string => `${Number(mist) / 1e9} SUI`;
