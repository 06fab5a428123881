/**
 * What the script that verifies in the browser offers: `/proof.js`, loaded when it is asked for.
 *
 * @module
 */
import type { AttestedKey, Expected, Inspected } from "./attested.ts";

/** How one check ended. */
export interface ProofCheck {
  /** Its name. */
  readonly name: string;
  /** Whether it holds. */
  readonly ok: boolean;
  /** What held, or what does not. */
  readonly detail: string;
}

/** What is verified. */
export interface ProofInput {
  /** The receipt's bytes, as they came. */
  readonly receipt: Uint8Array;
  /** The window as the page shows it. */
  readonly shown: unknown;
  /** The ledger that the page shows, hexadecimal. */
  readonly ledgerId: string;
  /** Whether a SIMULATED root is accepted: asked for by name. */
  readonly acceptSimulated: boolean;
  /** A `pcrs.json`; null takes the builds that the receipt says its ledger approved. */
  readonly pcrs: Uint8Array | null;
}

/** What was found. */
export interface WindowProof {
  /** In the order in which trust is built. */
  readonly checks: readonly ProofCheck[];
  /** Whether all hold. */
  readonly ok: boolean;
  /** Whether the judges' documents hang from a SIMULATED root. */
  readonly simulated: boolean;
  /** What no receipt can show. */
  readonly unchecked: readonly string[];
}

/** The script's exports. */
export interface ProofModule {
  /** Verify a window's receipt, and that the page shows what it proves. */
  readonly verifyWindow: (input: ProofInput) => Promise<WindowProof>;
  /** Check a judge's document. */
  readonly inspect: (row: AttestedKey, expected: Expected) => Promise<Inspected>;
}
