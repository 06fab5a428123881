/**
 * What the API answers, by the functions that make it.
 *
 * @module
 */
import type { JobRow } from "../../ledger/jobs.ts";
import type { MinerRow } from "../../ledger/ledger.ts";
import type { WindowSummary } from "../../ledger/summary.ts";
import type { DatasetRow } from "../../ledger/governance.ts";
import type { JobTerms } from "../../ledger/jobs.ts";
import type { ToldState } from "../../monitoring/component.ts";
import type { GradientDetail, GradientReport, ValidatorDetail, WindowDetail } from "../detail.ts";
import type { enclaves } from "../enclaves.ts";
import type { network } from "../network.ts";
import type { search } from "../search.ts";
import type { wallet } from "../wallet.ts";
import type { CurvePoint } from "../window_index.ts";
import type { Wire } from "../wire.ts";

type Answer<F extends (...args: never[]) => Promise<unknown>> = Awaited<ReturnType<F>>;

/** `/network`. */
export type NetworkAnswer = Answer<typeof network>;
/** A row of `/components`. */
export type Component = Wire<ToldState>;
/** `/components`. */
export interface ComponentsAnswer {
  /** By kind and slot. */
  readonly components: readonly Component[];
  /** The explorer's time. */
  readonly nowMs: number;
}
/** A line of `/windows`. */
export type Summary = Wire<WindowSummary>;
/** `/windows/{window}`. */
export type Detail = Wire<WindowDetail>;
/** A gradient of it. */
export type Gradient = Wire<GradientDetail>;
/** A validator of it. */
export type Seat = Wire<ValidatorDetail>;
/** `/windows/{window}/gradients/{uid}`. */
export interface GradientAnswer {
  /** Median loss of the base. */
  readonly randomBefore: number | null;
  /** The gradient. */
  readonly gradient: Gradient;
  /** What each judge said. */
  readonly reports: readonly Wire<GradientReport>[];
}
/** `/curve`. */
export interface CurveAnswer {
  /** Oldest first. */
  readonly points: readonly Wire<CurvePoint>[];
  /** Whether all windows are in it. */
  readonly isWhole: boolean;
}
/** A row of `/miners`. */
export type Miner = Wire<MinerRow>;
/** `/validators`. */
export type ValidatorsAnswer = Answer<typeof enclaves>;
/** A row of it. */
export type Validator = ValidatorsAnswer["validators"][number];
/** `/miners/{uid}/windows` and `/validators/{uid}/windows`. */
export interface HistoryAnswer<T> {
  /** Newest first. */
  readonly windows: readonly {
    readonly window: number;
    readonly status: string;
    readonly randomBefore: number | null;
    readonly row: T | null;
  }[];
  /** `before` of the next page. */
  readonly next: number | null;
}
/** `/datasets`. */
export interface DatasetsAnswer {
  /** Root of the one that is trained on. */
  readonly active: string;
  /** All of them. */
  readonly datasets: readonly Wire<DatasetRow>[];
}
/** `/jobs`. */
export interface JobsAnswer {
  /** The board's terms. */
  readonly terms: Wire<JobTerms>;
  /** MIST. */
  readonly fees: string;
  /** Number of the next job. */
  readonly nextId: number;
  /** Newest first. */
  readonly jobs: readonly Wire<JobRow>[];
  /** Ledger time. */
  readonly nowMs: number;
}
/** `/jobs/quote`. */
export interface QuoteAnswer {
  /** MIST. */
  readonly payout: string;
  /** MIST. */
  readonly fee: string;
  /** MIST. */
  readonly total: string;
}
/** `/search`. */
export type SearchAnswer = Answer<typeof search>;
/** `/wallets/{address}`. */
export type WalletAnswer = Answer<typeof wallet>;
