/**
 * A whole validator over an arena: its loop, its journal and the courier's code, with a ledger, store and beacon
 * that a test may bend, and a record of what it sent.
 *
 * @module
 */
import type { Judge } from "../../enclave/judge.ts";
import { encodeBody } from "../../enclave/protocol/judge_messages.ts";
import { LedgerError } from "../../enclave/protocol/errors.ts";
import { Refusal } from "../../enclave/protocol/refusal.ts";
import { JudgeError } from "../../host/courier/judge_error.ts";
import type { JudgeLike } from "../../host/courier/judge_like.ts";
import { Journal } from "../../host/journal.ts";
import type { Ledger } from "../../host/ledger/ledger.ts";
import type { BeaconSource } from "../../host/ledger/randomness.ts";
import { validatorOf } from "../../host/ledger/testing.ts";
import { Bases } from "../../host/store/bases.ts";
import type { Store } from "../../host/store/store.ts";
import { Validator } from "../../host/validator.ts";
import { MODEL } from "../support/window.ts";
import { type Arena, HONEST_BEACON } from "./arena.ts";

/** What the validator is given instead of the honest parts. */
export interface Bent {
  /** Default: the arena's. */
  readonly ledger?: Ledger;
  /** Default: the arena's. */
  readonly store?: Store;
  /** Default: the honest one. */
  readonly beacon?: BeaconSource;
}

/** What came of a run. */
export interface Ran {
  /** Messages that were sent to the ledger. */
  readonly submitted: readonly string[];
  /** Constants of the ledger's refusals of them, but for messages that it has already. */
  readonly refused: readonly string[];
  /** What the journal calls missed: `message: reason`. */
  readonly missed: readonly string[];
  /** Windows that the judge was asked to judge. */
  readonly asked: number;
}

/** Run validator 0 of `arena` through window 0. */
export async function runValidator(arena: Arena, parts: Bent = {}): Promise<Ran> {
  const submitted: string[] = [];
  const refused: string[] = [];
  const ledger = recorded(parts.ledger ?? arena.ledger, submitted, refused);
  const store = parts.store ?? arena.store;
  let asked = 0;
  const judge = judgeLike(arena.judges[0]!, () => asked++);
  using journal = await Journal.open(`${arena.dir}/journal`);
  const validator = new Validator({
    ledger,
    store,
    bases: await Bases.open(arena.ledger, store, MODEL),
    pages: arena.pages,
    beacon: parts.beacon ?? HONEST_BEACON,
    clock: arena.clock,
    judge,
    model: MODEL,
    owner: validatorOf(0),
    uid: 0,
    journal,
    log: () => {},
    events: { phase: () => {}, attested: () => {}, ended: () => {} },
  });
  await validator.attest();
  await validator.run(0, 1, new AbortController().signal);
  const missed = journal.every("missed").map(({ message, reason }) => `${message}: ${reason}`);
  return { submitted, refused, missed, asked };
}

/** `ledger`, with a record of what it is sent. */
function recorded(ledger: Ledger, submitted: string[], refused: string[]): Ledger {
  const record =
    (name: "submitReport" | "submitOutcome"): Ledger[typeof name] => async (...message) => {
      submitted.push(name);
      try {
        await ledger[name](...message);
      } catch (error) {
        if (error instanceof LedgerError && error.constant !== "EAlreadySubmitted") {
          refused.push(error.constant);
        }
        throw error;
      }
    };
  const own = { submitReport: record("submitReport"), submitOutcome: record("submitOutcome") };
  return new Proxy(ledger, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return Reflect.get(own, name);
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A judge of this process as its courier sees one. */
function judgeLike(judge: Judge, onAsked: () => void): JudgeLike {
  const call = async <T>(run: () => T | Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new JudgeError(error.code, 400, error.message, { field: error.field ?? null });
    }
  };
  return {
    configure: (identity) =>
      call(() => {
        judge.configure(identity);
        return judge.publicKey;
      }),
    attest: (nonce) => call(() => judge.attest(nonce)),
    hasBlob: (hash) => Promise.resolve(judge.blobs.get(hash) !== undefined),
    putBlob: (hash, bytes) => call(() => judge.blobs.put(hash, bytes)),
    process: (payload) =>
      call(() => {
        onAsked();
        return judge.process(encodeBody({ payload }));
      }),
  };
}
