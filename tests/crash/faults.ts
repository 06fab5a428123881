/**
 * A party that dies at a chosen moment: before or after one of the calls by which it changes anything, or in the
 * middle of a line of its journal. From then on none of its calls reaches anything, as after SIGKILL.
 *
 * @module
 */

import { LedgerError } from "../../enclave/protocol/errors.ts";

/** What a dead party's calls throw. */
export class Killed extends Error {
  /** It does not come back by waiting. */
  readonly retryable = false;
}

/** Moments that a life records. */
const MAX_MOMENTS = 1_000;

/** A moment at which a party can die. */
export interface Moment {
  /** The call, e.g. `ledger.submitReport` or `journal.append report_signed`. */
  readonly call: string;
  /** Where. */
  readonly at: "before" | "after" | "torn";
}

/** Whether it is this one, e.g. `before ledger.commit`. */
export function nameOf({ at, call }: Moment): string {
  return `${at} ${call}`;
}

/** The life of one party's process. */
export class Life {
  /** Moments so far, in order. */
  readonly moments: Moment[] = [];
  /** Calls that were refused, e.g. `ledger.commit: EAlreadyCommitted`. */
  readonly refused: string[] = [];
  /** The moment of its death, once it is dead. */
  death: Moment | undefined;
  readonly #dies: (moment: Moment, index: number) => boolean;
  readonly #onDeath: (moment: Moment) => void;

  /** Dies where `dies` says so; tells `onDeath` at once. */
  constructor(
    dies: (moment: Moment, index: number) => boolean = () => false,
    onDeath: (moment: Moment) => void = () => {},
  ) {
    this.#dies = dies;
    this.#onDeath = onDeath;
  }

  /** `target` as this party has it. `changing` names the methods that change something, with a label each. */
  wrap<T extends object>(
    name: string,
    target: T,
    changing: Readonly<Record<string, (...args: never[]) => string>>,
  ): T {
    return new Proxy(target, {
      get: (object, property) => {
        const value = Reflect.get(object, property, object);
        if (typeof value !== "function") return value;
        const label = Object.hasOwn(changing, property) ? changing[String(property)] : undefined;
        return (...args: never[]) => {
          if (this.death !== undefined) throw new Killed("a dead party called");
          if (label === undefined) return value.apply(object, args);
          return this.#call(`${name}.${label(...args)}`, () => value.apply(object, args));
        };
      },
    });
  }

  async #call<T>(call: string, run: () => Promise<T>): Promise<T> {
    this.#pass({ call, at: "before" });
    if (call.startsWith("journal.")) this.#pass({ call, at: "torn" });
    const result = await run().catch((error) => {
      this.refused.push(`${call}: ${error instanceof LedgerError ? error.constant : error}`);
      throw error;
    });
    this.#pass({ call, at: "after" });
    return result;
  }

  #pass(moment: Moment): void {
    if (this.death !== undefined) throw new Killed("a dead party called");
    const index = this.moments.length;
    if (index >= MAX_MOMENTS) return; // a long life is to be measured, not recorded
    this.moments.push(moment);
    if (!this.#dies(moment, index)) return;
    this.death = moment;
    this.#onDeath(moment);
    throw new Killed(nameOf(moment));
  }
}

const plain = (name: string) => () => name;

/** The calls that change a ledger. */
export const LEDGER_CALLS = Object.fromEntries(
  ["commit", "reveal", "registerEnclave", "submitReport", "settle", "submitOutcome", "close"]
    .map((name) => [name, plain(name)]),
);
const plainKey = (key: string) => key.replace(/^(blob|chunk)s\/.*/, "$1");

/** The calls that change a store. */
export const STORE_CALLS = {
  put: (key: string) => `put ${plainKey(key)}`,
  delete: (key: string) => `delete ${plainKey(key)}`,
};
/** The calls that change a judge. */
export const JUDGE_CALLS = {
  configure: plain("configure"),
  process: (payload: { kind: string }) => `process ${payload.kind}`,
};
/** A journal's. */
export const JOURNAL_CALLS = { append: ({ step }: { step: string }) => `append ${step}` };
