/**
 * How each component is asked whether it works. A probe changes nothing and takes little: it is asked every few
 * seconds for years.
 *
 * @module
 */
import { type Bytes, equal, toHex } from "../../enclave/protocol/bytes.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type Store, StoreError } from "../store/store.ts";
import { ComponentError } from "./fault.ts";
import type { Probe } from "./health.ts";

/** Of this key there is no object: a store that says so works. */
const NO_OBJECT = "health/none";
/** Walrus is asked by blob: a key that is not in the index here is asked of nobody. */
const NO_BLOB = `walrus:${"A".repeat(43)}`;
const SMALL = 64;

/** Asks a store for an object that nobody put: `not_found` comes from where the objects lie. */
export function storeProbe(store: Store, ref: string = NO_OBJECT): Probe {
  return async () => {
    try {
      await store.get(ref, { maxBytes: SMALL });
    } catch (error) {
      const isAnswer = error instanceof StoreError &&
        ["not_found", "too_large", "wrong_hash"].includes(error.code);
      if (!isAnswer) throw error;
    }
  };
}

/** What to ask a store of this kind for, so that it has to look where its objects lie. */
export function noObjectOf(backend: string): string {
  return backend === "walrus" ? NO_BLOB : NO_OBJECT;
}

/** Asks several stores, each for its own object: a fault of one is the fault of all. */
export function storesProbe(stores: ReadonlyMap<Store, string | undefined>): Probe {
  const probes = [...stores].map(([store, ref]) => storeProbe(store, ref));
  return async (signal) => {
    for (const probe of probes) await probe(signal);
  };
}

/** A judge as its probe sees it. */
export interface AskedJudge {
  /** Its key. */
  health(): Promise<{ readonly publicKey: Bytes }>;
}

/** Asks a judge for its key; another than the one that was attested last, if any was, is a fault. */
export function judgeProbe(judge: AskedJudge, attested: () => Bytes | undefined): Probe {
  return async () => {
    const { publicKey } = await judge.health();
    const known = attested();
    if (known === undefined || equal(known, publicKey)) return;
    throw new ComponentError(
      "not_attested",
      `It restarted: its key ${toHex(publicKey).slice(0, 8)}… is not attested yet`,
    );
  };
}

/**
 * Asks a ledger for its running window. Of a ledger in a file, `path` must be the file that was opened: a process goes
 * on with one that was moved away, and alone.
 */
export function ledgerProbe(ledger: Pick<Ledger, "currentWindow">, path?: string): Probe {
  const opened = path === undefined ? null : Deno.statSync(path).ino;
  return async () => {
    if (path !== undefined) {
      const { ino } = await Deno.stat(path).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        throw new ComponentError("gone", `Its file ${path} is not there any more`);
      });
      if (opened !== ino) {
        throw new ComponentError(
          "replaced",
          `Another file lies at ${path}: restart what runs on this ledger`,
        );
      }
    }
    await ledger.currentWindow();
  };
}
