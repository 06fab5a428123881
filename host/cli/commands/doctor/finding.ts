/**
 * What a check of `doctor` finds: one line, with what to do where something is wrong.
 *
 * @module
 */
import type { Config, ConfigError, Surroundings } from "../../../config/mod.ts";
import type { Clock } from "../../../ledger/clock.ts";
import type { OpenLedger } from "../../open_ledger.ts";
import type { openJudge } from "../judge.ts";
import type { Machine } from "./machine.ts";
import type { StoragePair } from "./storage.ts";

/** How a check ended: `skip` means that it does not apply here. */
export type Verdict = "ok" | "warn" | "fail" | "skip";

/** What a check found. */
export interface Finding {
  /** Of the check. */
  readonly name: string;
  /** How it ended. */
  readonly verdict: Verdict;
  /** What was seen, or why it was not looked at. */
  readonly detail: string;
  /** What to do about it, where something is wrong. */
  readonly remedy?: string;
}

/** Whose set-up is looked at. */
export type Subject = "miner" | "validator";

/** What checks look at. */
export interface Patient {
  /** Settings. */
  readonly config: Config;
  /** Where they came from. */
  readonly surroundings: Surroundings;
  /** This machine's time. */
  readonly clock: Clock;
  /** Whose set-up it is. */
  readonly subjects: ReadonlySet<Subject>;
  /** The ledger, or why it cannot be opened. */
  readonly opened: OpenLedger | Error;
  /** This machine. */
  readonly machine: Machine;
  /** Opens a judge. */
  readonly openJudge: typeof openJudge;
  /** The store under both keys, or why there is none to look at, or what is wrong with its settings. */
  readonly storage: StoragePair | string | ConfigError;
}

/** A check: it never throws for what it finds, and what it throws is a finding, too. */
export interface Check {
  /** One word or two. */
  readonly name: string;
  /** What is wrong with the patient. */
  readonly run: (patient: Patient) => Promise<Omit<Finding, "name">>;
}

/** All is well. */
export function ok(detail: string): Omit<Finding, "name"> {
  return { verdict: "ok", detail };
}
/** It does not apply. */
export function skip(detail: string): Omit<Finding, "name"> {
  return { verdict: "skip", detail };
}
/** It works, and will not for long, or not well. */
export function warn(detail: string, remedy: string): Omit<Finding, "name"> {
  return { verdict: "warn", detail, remedy };
}
/** It does not work. */
export function fail(detail: string, remedy: string): Omit<Finding, "name"> {
  return { verdict: "fail", detail, remedy };
}

/** The open ledger, or the finding that there is none. */
export function ledgerOf({ opened }: Patient): OpenLedger | Omit<Finding, "name"> {
  return opened instanceof Error ? skip("there is no ledger to ask: see 'ledger'") : opened;
}

/** Whether it is a finding rather than a ledger. */
export function isFinding(
  value: OpenLedger | Omit<Finding, "name">,
): value is Omit<Finding, "name"> {
  return "verdict" in value;
}

/** Run every check, one after the other. */
export async function examine(checks: readonly Check[], patient: Patient): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name, run } of checks) {
    try {
      findings.push({ name, ...await run(patient) });
    } catch (error) {
      const detail = patient.config.redact(error instanceof Error ? error.message : String(error));
      findings.push({ name, verdict: "fail", detail, remedy: "the check itself did not end well" });
    }
  }
  return findings;
}
